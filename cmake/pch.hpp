// Compiled once: what nearly every file includes.
#include <boost/describe.hpp>
#include <boost/mp11.hpp>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
