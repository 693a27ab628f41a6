#include "gateway/problem.hpp"

#include "bottega/core/log.hpp"

namespace bottega::gateway {

Reply problem(const Error& error, const std::string& request_id, const std::string& base) {
  const auto& row = info(error.code());
  Reply reply;
  reply.status = row.status;
  reply.media_type = "application/problem+json";
  reply.body = {{"type", base + "/problems/" + std::string(row.slug)},
                {"title", row.title},
                {"status", row.status},
                {"detail", error.what()},
                {"instance", request_id},
                {"code", row.slug},
                {"retry", row.retry == Retry::later ? "later" : "never"}};
  if (!error.faults().empty()) {
    Json faults = Json::array();
    for (const auto& fault : error.faults())
      faults.push_back({{"pointer", fault.pointer}, {"detail", fault.detail}});
    reply.body["errors"] = faults;
  }
  if (!error.reason().empty()) reply.body["reason"] = error.reason();
  if (error.retry_after())
    reply.headers.emplace_back("Retry-After", std::to_string(error.retry_after()->count()));
  if (!error.allow().empty()) reply.headers.emplace_back("Allow", error.allow());
  if (row.status == 401)
    reply.headers.emplace_back("WWW-Authenticate", error.code() == Code::token_expired
                                                       ? "Bearer error=\"invalid_token\""
                                                       : "Bearer");
  if (row.status == 426) reply.headers.emplace_back("Sec-WebSocket-Version", "13");
  return reply;
}

Error error_of(std::exception_ptr failure, const std::string& request_id) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    if (error.code() == Code::internal)
      log::error("request.failed", {{"request", request_id}, {"error", std::string(error.what())}});
    if (error.code() != Code::internal) return error;
  } catch (const std::exception& error) {
    log::error("request.failed", {{"request", request_id}, {"error", std::string(error.what())}});
  } catch (...) {
    log::error("request.failed", {{"request", request_id}, {"error", "not an exception"}});
  }
  return Error(Code::internal, "it is in the log under this request's id");
}

}  // namespace bottega::gateway
