#include "common/sealed_json.h"

#include <spdlog/fmt/fmt.h>

#include "common/hash.h"

namespace capstan {
namespace {

constexpr std::string_view kTail = "}\n";

std::string head(std::string_view name, std::string_view body) {
  return fmt::format(R"({{"checksum":"{:016x}","{}":)", hash_string(body), name);
}

}  // namespace

std::string seal_json(std::string_view name, std::string_view body) {
  return fmt::format("{}{}{}", head(name, body), body, kTail);
}

Result<std::string_view> unseal_json(std::string_view name, std::string_view text) {
  const std::size_t begin = head(name, "").size();  // of any body
  if (text.size() < begin + kTail.size() || !text.ends_with(kTail)) {
    return make_error(ErrorCode::kCorrupt, fmt::format("no {} with a checksum", name));
  }
  const std::string_view body = text.substr(begin, text.size() - begin - kTail.size());
  if (!text.starts_with(head(name, body))) {
    return make_error(ErrorCode::kCorrupt, "the checksum does not match");
  }
  return body;
}

}  // namespace capstan
