// The push service of other people on a port that the system chose, which it prints.
const net = require("net");
const PushApiModel = require("web-push-testing/src/PushApiModel.js");
const Server = require("web-push-testing/src/server.js");

const free = net.createServer().listen(0, "127.0.0.1", () => {
  const {port} = free.address();
  free.close(() => new Server(new PushApiModel.PushApiModel(), port).startServer());
});
