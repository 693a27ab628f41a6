// The gate: hostile request lines, hosts and field lines, one by one, each with the problem it
// gets.
#include "gateway/admit.hpp"

#include <gtest/gtest.h>

#include "unit/gateway_hostile.hpp"
#include "bottega/core/error.hpp"

namespace bottega::test {
namespace gateway_admit_test {

std::string line(const std::string& first) { return first + "\r\nHost: shop.example\r\n\r\n"; }
std::string host(const std::string& value) {
  return "GET / HTTP/1.1\r\nHost: " + value + "\r\n\r\n";
}
std::string repeated(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

using enum Code;

const Hostile kRequestLines[] = {
    {"Empty", "", malformed},
    {"OnlyAnEmptyLine", "\r\n", malformed},
    {"AnEmptyLineFirst", "\r\n" + line("GET / HTTP/1.1"), malformed},
    {"NoVersion", line("GET /"), malformed},
    {"NoTarget", line("GET HTTP/1.1"), malformed},
    {"NoMethod", line(" / HTTP/1.1"), malformed},
    {"OnlySpaces", line("   "), malformed},
    {"TwoSpacesAfterTheMethod", line("GET  / HTTP/1.1"), malformed},
    {"TwoSpacesBeforeTheVersion", line("GET /  HTTP/1.1"), malformed},
    {"ATabAfterTheMethod", line("GET\t/ HTTP/1.1"), malformed},
    {"ATabBeforeTheVersion", line("GET /\tHTTP/1.1"), malformed},
    {"ASpaceInTheTarget", line("GET /a b HTTP/1.1"), malformed},
    {"ASpaceBehindTheVersion", line("GET / HTTP/1.1 "), malformed},
    {"WordsBehindTheVersion", line("GET / HTTP/1.1 x"), malformed},
    {"AMethodWithASlash", line("GE/T / HTTP/1.1"), malformed},
    {"AMethodWithAColon", line("GET: / HTTP/1.1"), malformed},
    {"AMethodWithANul", line(std::string("GE\0T / HTTP/1.1", 15)), malformed},
    {"AMethodBeyondAscii", line("G\xc3\x8bT / HTTP/1.1"), malformed},
    {"AMethodInLowerCase", line("get / HTTP/1.1"), not_implemented},
    {"Trace", line("TRACE / HTTP/1.1"), not_implemented},
    {"Connect", line("CONNECT shop.example:443 HTTP/1.1"), not_implemented},
    {"ThePrefaceOfHttp2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", http_version},
    {"AMethodThatNobodyKnows", line("BREW / HTTP/1.1"), not_implemented},
    {"ABodyBeforeTheMethod", line("0\r\n\r\nGET / HTTP/1.1"), malformed},
    {"TheAbsoluteForm", line("GET http://shop.example/ HTTP/1.1"), malformed},
    {"TheAbsoluteFormOfAnotherHost", line("GET http://evil.example/ HTTP/1.1"), malformed},
    {"TheAuthorityForm", line("GET shop.example:80 HTTP/1.1"), malformed},
    {"AnAsteriskWithoutOptions", line("GET * HTTP/1.1"), malformed},
    {"AnAsteriskWithMore", line("OPTIONS */x HTTP/1.1"), malformed},
    {"ARelativeTarget", line("GET a/b HTTP/1.1"), malformed},
    {"AQueryWithoutAPath", line("GET ?a=b HTTP/1.1"), malformed},
    {"AFragment", line("GET /a#b HTTP/1.1"), malformed},
    {"ANulInTheTarget", line(std::string("GET /a\0b HTTP/1.1", 17)), malformed},
    {"AnEscapeCharacterInTheTarget", line("GET /a\x1b[2J HTTP/1.1"), malformed},
    {"ADeleteInTheTarget", line("GET /a\x7f HTTP/1.1"), malformed},
    {"RawUtf8InTheTarget", line("GET /caf\xc3\xa9 HTTP/1.1"), malformed},
    {"ATargetTooLong", line("GET /" + std::string(8'192, 'a') + " HTTP/1.1"), uri_too_long},
    {"Http09", line("GET / HTTP/0.9"), http_version},
    {"Http12", line("GET / HTTP/1.2"), http_version},
    {"Http20", line("GET / HTTP/2.0"), http_version},
    {"Http30", line("GET / HTTP/3.0"), http_version},
    {"AVersionInLowerCase", line("GET / http/1.1"), malformed},
    {"AVersionOfTwoDigits", line("GET / HTTP/1.10"), malformed},
    {"AVersionWithoutADot", line("GET / HTTP/11"), malformed},
    {"AVersionWithoutAMinor", line("GET / HTTP/1."), malformed},
    {"AVersionOfLetters", line("GET / HTTP/x.y"), malformed},
    {"AVersionWithASign", line("GET / HTTP/+1.1"), malformed},
    {"AnotherProtocol", line("GET / SHTTP/1.1"), malformed},
    {"ATlsClientHello", std::string("\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", 11), malformed},
};
BOTTEGA_HOSTILE(RequestLines, kRequestLines);

const Hostile kHosts[] = {
    {"NoHost", "GET / HTTP/1.1\r\n\r\n", malformed},
    {"AnEmptyHost", host(""), malformed},
    {"OnlySpaces", host("   "), malformed},
    {"TwoHosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", malformed},
    {"TheSameHostTwice", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", malformed},
    {"TwoHostsOnHttp10", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", malformed},
    {"AListOfHosts", host("a, b"), malformed},
    {"UserInformation", host("user@shop.example"), malformed},
    {"ASpace", host("shop example"), malformed},
    {"ASlash", host("shop.example/x"), malformed},
    {"AQuestionMark", host("shop.example?x"), malformed},
    {"AFragment", host("shop.example#x"), malformed},
    {"AWholeAddress", host("http://shop.example"), malformed},
    {"AnEscape", host("shop%2eexample"), malformed},
    {"OnlyAPort", host(":80"), malformed},
    {"APortOfNothing", host("shop.example:"), malformed},
    {"APortOfLetters", host("shop.example:http"), malformed},
    {"APortTooLong", host("shop.example:123456"), malformed},
    {"TwoPorts", host("shop.example:80:80"), malformed},
    {"ABracketThatStaysOpen", host("[::1"), malformed},
    {"BracketsAroundNothing", host("[]"), malformed},
    {"BracketsAroundAName", host("[shop]"), malformed},
    {"WordsBehindTheBrackets", host("[::1]x"), malformed},
    {"AZoneInTheBrackets", host("[fe80::1%25eth0]"), malformed},
    {"BytesBeyondAscii", host("sh\xc3\xb6p.example"), malformed},
    {"AnInvalidHostOnHttp10", "GET / HTTP/1.0\r\nHost: a b\r\n\r\n", malformed},
};
BOTTEGA_HOSTILE(Hosts, kHosts);

const Hostile kFieldLines[] = {
    {"NoLineAtTheEnd", "GET / HTTP/1.1\r\nHost: a\r\n", malformed},
    {"OnlyLineFeeds", "GET / HTTP/1.1\nHost: a\n\n", malformed},
    {"ALineFeedBehindTheRequestLine", "GET / HTTP/1.1\nHost: a\r\n\r\n", malformed},
    {"ALineFeedAtTheEnd", "GET / HTTP/1.1\r\nHost: a\r\n\n", malformed},
    {"OnlyCarriageReturns", "GET / HTTP/1.1\rHost: a\r\r", malformed},
    {"TwoCarriageReturns", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", malformed},
    {"ABareCarriageReturnInAValue", field("X-A: b\rc"), malformed},
    {"ABareLineFeedInAValue", field("X-A: b\nX-C: d"), malformed},
    {"ABareLineFeedBeforeALength", field("X-A: b\nContent-Length: 5"), malformed},
    {"ACarriageReturnInAName", field("X\r-A: b"), malformed},
    {"ANulInAValue", field(std::string("X-A: b\0c", 8)), malformed},
    {"ANulInAName", field(std::string("X\0A: b", 6)), malformed},
    {"ABellInAValue", field("X-A: b\x07"), malformed},
    {"AVerticalTabInAValue", field("X-A: b\x0b c"), malformed},
    {"ADeleteInAValue", field("X-A: b\x7f"), malformed},
    {"ASpaceBeforeTheColon", field("X-A : b"), malformed},
    {"ATabBeforeTheColon", field("X-A\t: b"), malformed},
    {"ASpaceInTheName", field("X A: b"), malformed},
    {"NoColon", field("X-A"), malformed},
    {"NoName", field(": b"), malformed},
    {"AQuotedName", field("\"X-A\": b"), malformed},
    {"ABracketInTheName", field("X[A]: b"), malformed},
    {"ANameBeyondAscii", field("X-\xc3\xa4: b"), malformed},
    {"AFoldWithASpace", field("X-A: b\r\n c"), malformed},
    {"AFoldWithATab", field("X-A: b\r\n\tc"), malformed},
    {"AFoldOfNothing", field("X-A: b\r\n "), malformed},
    {"AFoldBehindTheRequestLine", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", malformed},
    {"SomethingBehindTheHead", "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /", malformed},
    {"AFieldTooLong", field("X-A: " + std::string(8'192, 'b')), headers_too_large},
    {"ANameTooLong", field(std::string(8'193, 'x') + ": b"), headers_too_large},
    {"OneFieldTooMany", field(repeated("X-A: b\r\n", 99) + "X-A: b"), headers_too_large},
    {"TwoContentTypes", field("Content-Type: a/b\r\ncontent-type: a/b"), malformed},
    {"TwoAuthorizations", field("Authorization: Bearer a\r\nAuthorization: Bearer b"), malformed},
    {"TwoIdempotencyKeys", field("Idempotency-Key: a\r\nIdempotency-Key: a"), malformed},
    {"TwoOrigins", field("Origin: http://a\r\nOrigin: http://b"), malformed},
    {"TwoRequestIds", field("X-Request-Id: a\r\nX-Request-Id: b"), malformed},
    {"TwoUpgrades", field("Upgrade: websocket\r\nUpgrade: h2c"), malformed},
    {"TwoSocketKeys", field("Sec-WebSocket-Key: a\r\nSec-WebSocket-Key: b"), malformed},
    {"TwoSocketVersions", field("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8"),
     malformed},
};
BOTTEGA_HOSTILE(FieldLines, kFieldLines);

}  // namespace gateway_admit_test
}  // namespace bottega::test
