#include "cli/tune/search_space.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "common/config/space_check.h"
#include "common/hash.h"
#include "common/rng.h"
#include "common/text.h"

namespace capstan {
namespace {

constexpr std::uint64_t kGridMost = 10000;  // a space of so few settings is shuffled, not drawn from
constexpr int kAttempts = 1000;             // for one that was not drawn before

std::string draw(const SearchRange& range, Rng& rng) {
  const double share = rng.uniform();
  switch (range.kind) {
    case RangeKind::kChoices:
      return range.choices[rng.below(range.choices.size())];
    case RangeKind::kUniform:
      return range_number(std::lerp(range.low, range.high, share));
    case RangeKind::kLogUniform:
      return range_number(std::exp(std::lerp(std::log(range.low), std::log(range.high), share)));
    case RangeKind::kInt:
      return fmt::format("{:.0f}", std::floor(range.low + share * (range.high - range.low + 1.0)));
    case RangeKind::kLogInt:
      break;
  }
  const double low = std::log(range.low), high = std::log(range.high + 1.0);
  return fmt::format("{:.0f}", std::min(range.high, std::floor(std::exp(std::lerp(low, high, share)))));
}

// All values of a range that has few; nothing of one that has many.
std::optional<std::vector<std::string>> values_of(const SearchRange& range) {
  if (range.kind == RangeKind::kChoices) return range.choices;
  const bool whole = range.kind == RangeKind::kInt || range.kind == RangeKind::kLogInt;
  if (!whole || range.high - range.low >= static_cast<double>(kGridMost)) return std::nullopt;
  std::vector<std::string> values;
  for (double value = range.low; value <= range.high; value += 1.0)
    values.push_back(fmt::format("{:.0f}", value));
  return values;
}

// Every settings of a small space; nothing of a large one.
std::optional<std::vector<Settings>> grid_of(const TuneConfig& tune) {
  std::vector<Settings> grid = {{}};
  for (const auto& [path, range] : tune.space) {
    const auto values = values_of(range);
    if (!values || values->size() * grid.size() > kGridMost) return std::nullopt;
    std::vector<Settings> longer;
    for (const Settings& settings : grid) {
      for (const std::string& value : *values) {
        longer.push_back(settings);
        longer.back().emplace_back(path, value);
      }
    }
    grid = std::move(longer);
  }
  return grid;
}

}  // namespace

std::vector<Settings> draw_trials(const TuneConfig& tune) {
  std::vector<Settings> trials;
  if (auto grid = grid_of(tune)) {
    Rng rng(tune.seed);
    for (std::size_t i = 0; i < std::min<std::size_t>(tune.trials, grid->size()); ++i) {
      std::swap((*grid)[i], (*grid)[i + rng.below(grid->size() - i)]);
      trials.push_back((*grid)[i]);
    }
    return trials;
  }
  std::set<Settings> drawn;
  for (std::uint64_t trial = 0; trial < tune.trials; ++trial) {
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      Settings settings;
      for (const auto& [path, range] : tune.space) {
        Rng rng(combine(hash_string(path, tune.seed), trial, static_cast<std::uint64_t>(attempt)));
        settings.emplace_back(path, draw(range, rng));
      }
      if (!drawn.insert(settings).second) continue;
      trials.push_back(std::move(settings));
      break;
    }
  }
  return trials;
}

std::vector<std::string> overrides_of(const Settings& settings) {
  std::vector<std::string> overrides;
  for (const auto& [path, value] : settings) overrides.push_back(fmt::format("{}={}", path, value));
  return overrides;
}

std::string settings_text(const Settings& settings) {
  std::map<std::string, int> last_words;
  const auto last_word = [](const std::string& path) { return path.substr(path.rfind('.') + 1); };
  for (const auto& [path, value] : settings) ++last_words[last_word(path)];
  std::vector<std::string> words;
  for (const auto& [path, value] : settings) {
    const std::string last = last_word(path);
    words.push_back((last_words[last] == 1 ? last : path) + " " + value);
  }
  return join(words, ", ");
}

}  // namespace capstan
