#include "worker/rerank/step.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/text.h"

namespace capstan {
namespace {

struct Kind {
  RerankType type;
  std::string_view name;
  bool needs_categories;
  double most;  // largest value
};

constexpr Kind kKinds[] = {{RerankType::kMmr, "mmr", false, 1.0},
                           {RerankType::kDpp, "dpp", false, 1.0},
                           {RerankType::kCalibrated, "calibrated", true, 1.0},
                           {RerankType::kCap, "cap", true, 100000.0},
                           {RerankType::kRandom, "random", false, 1.0}};

const Kind& kind_of(RerankType type) {
  return *std::find_if(std::begin(kKinds), std::end(kKinds),
                       [&](const Kind& kind) { return kind.type == type; });
}

Error wrong(std::string_view text, std::string_view what) {
  return make_error(ErrorCode::kInvalid, fmt::format("step '{}': {}", text, what));
}

}  // namespace

Result<RerankStep> parse_rerank_step(std::string_view text) {
  const std::size_t equals = text.find('='), at = text.find('@');
  const std::string_view name = text.substr(0, std::min(equals, at));
  const auto kind =
      std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& each) { return each.name == name; });
  if (kind == std::end(kKinds) || equals == std::string_view::npos || at < equals) {
    return wrong(text,
                 "write mmr, dpp, calibrated, cap or random, = and a value (several: a curve), and behind @ "
                 "the items' column of categories: mmr=0.5, cap=2@genres");
  }
  RerankStep step;
  step.type = kind->type;
  if (at != std::string_view::npos) step.by = text.substr(at + 1);
  std::string_view rest = text.substr(equals + 1, at == std::string_view::npos ? at : at - equals - 1);
  for (bool more = true; more;) {
    const std::size_t comma = rest.find(',');
    more = comma != std::string_view::npos;
    const auto value = parse_double(rest.substr(0, comma));
    if (more) rest.remove_prefix(comma + 1);
    const bool whole =
        value && (kind->type != RerankType::kCap || (*value >= 1.0 && *value == std::floor(*value)));
    if (!whole || !(*value >= 0.0) || *value > kind->most) {
      return wrong(text, kind->type == RerankType::kCap ? "a cap is a whole number from 1"
                                                        : "values lie between 0 and 1");
    }
    step.values.push_back(*value);
  }
  if (kind->needs_categories && step.by.empty()) {
    return wrong(text, "needs the items' column of categories, such as @genres");
  }
  if (kind->type == RerankType::kRandom && !step.by.empty()) return wrong(text, "random asks for no column");
  return step;
}

Result<std::vector<RerankSetting>> rerank_settings(const std::vector<RerankStep>& steps) {
  std::vector<RerankSetting> settings;
  if (steps.empty()) return settings;
  std::size_t varied = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].values.size() < 2) continue;
    if (varied != i && steps[varied].values.size() > 1)
      return make_error(ErrorCode::kInvalid, "only one re-ranking step may have several values");
    varied = i;
  }
  for (const double value : steps[varied].values) {
    RerankSetting setting{"", steps, value};
    setting.steps[varied].values = {value};
    for (const RerankStep& step : setting.steps) {
      setting.name += fmt::format("{}{} {:g}", setting.name.empty() ? "" : ", ", kind_of(step.type).name,
                                  step.values.front());
    }
    settings.push_back(std::move(setting));
  }
  return settings;
}

}  // namespace capstan
