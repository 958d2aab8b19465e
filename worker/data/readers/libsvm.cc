#include "worker/data/readers/libsvm.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>

#include "common/text.h"

namespace capstan {
namespace {

class Libsvm final : public LineFormat {
 public:
  Result<std::vector<std::string>> begin(std::string_view&) override {
    return std::vector<std::string>{"label", "features"};
  }

  LineProblem parse(std::string_view line, Cells& cells) const override {
    line = trim(line.substr(0, line.find('#')));
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    const std::string_view label = line.substr(0, end);
    if (!parse_double(label)) return {"bad label", fmt::format("the label '{}' is not a number", label)};
    const std::string_view features = trim(line.substr(end));
    for (const auto token : split_text(features, " ")) {
      if (token.empty()) continue;
      LineProblem problem = check_indexed_value(token);
      if (!problem.kind.empty()) return problem;
    }
    cells.add(label);
    cells.add(features);
    return {};
  }
};

}  // namespace

LineProblem check_indexed_value(std::string_view token) {
  const std::size_t colon = token.find(':');
  if (colon == std::string_view::npos)
    return {"not index:value", fmt::format("'{}' is not index:value", token)};
  const auto value = parse_double(token.substr(colon + 1));
  if (!parse_uint(token.substr(0, colon)) || !value) {
    return {"not index:value", fmt::format("'{}' is not index:value", token)};
  }
  if (!std::isfinite(*value))
    return {"not a finite number", fmt::format("'{}' is not a finite number", token)};
  return {};
}

std::unique_ptr<LineFormat> make_libsvm() {
  return std::make_unique<Libsvm>();
}

}  // namespace capstan
