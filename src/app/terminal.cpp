#include "app/terminal.hpp"

#include <termios.h>
#include <unistd.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <iostream>

namespace bottega {

Secret read_password(const std::string& prompt) {
  termios shown{};
  const bool terminal = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &shown) == 0;
  if (terminal) {
    std::cout << prompt << std::flush;
    auto hidden = shown;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  }
  std::string line;
  std::getline(std::cin, line);
  if (terminal) {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    std::cout << '\n';
  }
  if (line.ends_with('\r')) line.pop_back();
  return Secret(line);
}

bool is_ready(const Config& config) {
  namespace asio = boost::asio;
  using asio::ip::tcp;
  try {
    const std::string host = config.http_address == "0.0.0.0" ? "127.0.0.1" : config.http_address;
    asio::io_context context;
    tcp::socket socket(context);
    socket.connect({asio::ip::make_address(host), static_cast<std::uint16_t>(config.http_port)});
    asio::write(socket, asio::buffer("GET /readyz HTTP/1.1\r\nHost: " + host +
                                     "\r\nConnection: close\r\n\r\n"));
    std::string answer;
    asio::read_until(socket, asio::dynamic_buffer(answer, 65'536), "\r\n");
    return answer.starts_with("HTTP/1.1 200");
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace bottega
