#include "cli/node_identity.h"

#include <spdlog/fmt/fmt.h>

#include <cstdlib>

#include "common/text.h"

namespace capstan {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

std::string named(std::string_view stem, std::string_view number) {
  return parse_uint(number).has_value() ? fmt::format("{}-{}", stem, number) : std::string();
}

}  // namespace

std::string name_from_environment(std::string_view stem) {
  if (const auto rank = variable("SLURM_PROCID"); !rank.empty()) return named(stem, rank);
  if (variable("KUBERNETES_SERVICE_HOST").empty()) return "";
  if (const auto index = variable("JOB_COMPLETION_INDEX"); !index.empty()) return named(stem, index);
  const std::string_view pod = variable("HOSTNAME");
  const std::size_t dash = pod.rfind('-');
  return dash == std::string_view::npos ? "" : named(stem, pod.substr(dash + 1));
}

}  // namespace capstan
