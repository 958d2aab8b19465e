#include "worker/data/readers/libsvm.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
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
    const std::string_view label = take_token(line);
    if (!parse_double(label)) return {"bad label", fmt::format("the label '{}' is not a number", label)};
    const std::string_view features = trim(line);
    for (auto token = take_token(line); !token.empty(); token = take_token(line)) {
      LineProblem problem = check_indexed_value(token);
      if (!problem.kind.empty()) return problem;
    }
    cells.add(label);
    if (features.find('\t') == std::string_view::npos) {
      cells.add(features);
    } else {
      std::string blanks(features);
      std::replace(blanks.begin(), blanks.end(), '\t', ' ');
      cells.add_owned(std::move(blanks));
    }
    return {};
  }
};

}  // namespace

std::string_view take_token(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  const std::string_view token = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(token.size());
  return token;
}

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
