#include "worker/data/candidates.h"

#include <spdlog/fmt/fmt.h>

#include "common/text.h"
#include "worker/data/input.h"
#include "worker/data/line_ranges.h"

namespace capstan {
namespace {

std::optional<std::uint32_t> id_of(std::string_view text, bool as_index, const IdIndex& ids) {
  if (!as_index) {
    const std::uint32_t* found = ids.find(text);
    return found == nullptr ? std::nullopt : std::optional(*found);
  }
  const auto number = parse_uint(text);
  if (!number || *number >= ids.size()) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

struct CandidateLine {
  std::uint32_t user = 0;
  std::vector<std::uint32_t> items;
};

// The problem in words, or empty.
std::string parse(std::string_view line, bool as_indices, const Events& events, const UserItems& test_items,
                  CandidateLine& parsed) {
  const auto cells = split_text(line, "\t");
  const std::string_view pair = cells[0];
  const std::size_t comma = pair.find(',');
  if (!pair.starts_with('(') || !pair.ends_with(')') || comma == std::string_view::npos) {
    return fmt::format("'{}' is not (user,item)", pair);
  }
  const auto user = id_of(pair.substr(1, comma - 1), as_indices, events.user_ids);
  if (!user) return fmt::format("no user '{}' in the data", pair.substr(1, comma - 1));
  parsed.user = *user;
  const std::string_view asked = pair.substr(comma + 1, pair.size() - comma - 2);
  const auto test_item = id_of(asked, as_indices, events.item_ids);
  if (!test_item || !test_items.contains(*user, *test_item)) {
    return fmt::format("'{}' is not a test item of user '{}'", asked, pair.substr(1, comma - 1));
  }
  for (std::size_t i = 1; i < cells.size(); ++i) {
    const auto item = id_of(cells[i], as_indices, events.item_ids);
    if (!item) return fmt::format("no item '{}' in the data", cells[i]);
    parsed.items.push_back(*item);
  }
  return "";
}

}  // namespace

Result<std::vector<std::vector<std::uint32_t>>> read_candidates(const std::string& path, bool as_indices,
                                                                const Events& events,
                                                                const UserItems& test_items, BadLines& bad) {
  CAPSTAN_ASSIGN(const Buffer file, load_text(path).wrap("data.test_candidates"));
  std::vector<std::vector<std::uint32_t>> candidates(events.user_ids.size());
  std::string_view text = file.text();
  for (std::uint64_t number = 1; !text.empty(); ++number) {
    const std::string_view line = take_line(text);
    if (line.empty()) continue;
    const std::string where = fmt::format("{}:{}", path, number);
    CandidateLine parsed;
    const std::string problem = parse(line, as_indices, events, test_items, parsed);
    if (!problem.empty()) {
      CAPSTAN_TRY(bad.add(where, "bad candidates", problem, line));
      continue;
    }
    auto& of_user = candidates[parsed.user];
    if (!of_user.empty()) {
      return make_error(ErrorCode::kInvalid, fmt::format("{}: a second line for user '{}'", where,
                                                         events.user_ids.names()[parsed.user]));
    }
    for (const std::uint32_t item : parsed.items) {
      if (!test_items.contains(parsed.user, item)) of_user.push_back(item);
    }
  }
  // Ranked among nothing, their test items would be sure hits.
  for (std::uint32_t user = 0; user < candidates.size(); ++user) {
    if (test_items.of(user).empty() || !candidates[user].empty()) continue;
    return make_error(ErrorCode::kInvalid, fmt::format("{}: no candidates for user '{}', who has test items",
                                                       path, events.user_ids.names()[user]));
  }
  return candidates;
}

}  // namespace capstan
