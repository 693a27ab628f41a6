# One program per file of tests/fuzz/targets, of what reads bytes from outside and nothing else: the
# database, the processors and the routes are not built for it.
set(FUZZED src/attachments/content.cpp src/attachments/metadata.cpp src/attachments/signatures.cpp
    src/bus/envelope.cpp src/catalog/feed_fields.cpp src/catalog/feed_item.cpp
    src/catalog/feed_text.cpp src/catalog/feed_values.cpp src/catalog/feed_writer.cpp
    src/catalog/feed_xml.cpp src/catalog/fields.cpp src/catalog/given.cpp src/checkout/given.cpp
    src/conversations/given.cpp src/gateway/admit.cpp src/gateway/boost.cpp src/gateway/chunked.cpp
    src/gateway/cursor.cpp src/gateway/event_mark.cpp src/gateway/frames.cpp src/gateway/head.cpp
    src/gateway/range.cpp src/gateway/url.cpp src/identity/given.cpp src/identity/identity.cpp
    src/notifications/key_pair.cpp src/notifications/subscriptions.cpp
    src/notifications/web_push.cpp src/orders/given.cpp src/outbound/url.cpp src/pricing/given.cpp
    src/pricing/places.cpp src/pricing/regions.cpp src/processors/sandbox_signature.cpp
    src/storage/sql.cpp src/support/given.cpp src/wallet/given.cpp)
file(GLOB FUZZED_CORE CONFIGURE_DEPENDS src/core/*.cpp)
add_library(bottega_fuzzed STATIC ${FUZZED} ${FUZZED_CORE} ${CALENDARS_CPP} tests/fuzz/main.cpp)
target_include_directories(bottega_fuzzed PUBLIC tests)
target_link_libraries(bottega_fuzzed PUBLIC bottega_product_flags spdlog::spdlog OpenSSL::SSL
  simdjson::simdjson date::date-tz PkgConfig::EXPAT)
target_precompile_headers(bottega_fuzzed REUSE_FROM bottega_pch)

add_custom_target(bottega_fuzz)
file(GLOB FUZZ_TARGETS CONFIGURE_DEPENDS tests/fuzz/targets/*.cpp)
foreach(source ${FUZZ_TARGETS})
  get_filename_component(name ${source} NAME_WE)
  add_executable(fuzz_${name} ${source})
  target_link_libraries(fuzz_${name} PRIVATE bottega_fuzzed bottega_pch)
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  target_precompile_headers(fuzz_${name} REUSE_FROM bottega_pch)
  add_dependencies(bottega_fuzz fuzz_${name})
endforeach()
