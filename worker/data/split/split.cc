#include "worker/data/split/split.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "common/hash.h"
#include "common/text.h"

namespace capstan {
namespace {

using Rows = std::vector<std::uint64_t>;

std::uint64_t share_of(std::uint64_t n, double share) {
  return static_cast<std::uint64_t>(std::floor(static_cast<double>(n) * share + 1e-9));
}

Rows all_rows(const Events& events) {
  Rows rows(events.rows());
  std::iota(rows.begin(), rows.end(), std::uint64_t{0});
  return rows;
}

// Marks the last `test` and the `valid` rows before them. REQUIRES: rows.size() >= test + valid.
void mark_tail(std::span<const std::uint64_t> rows, std::uint64_t test, std::uint64_t valid, Events& events) {
  const std::size_t n = rows.size();
  for (std::size_t i = n - test; i < n; ++i) events.parts[rows[i]] = Part::kTest;
  for (std::size_t i = n - test - valid; i < n - test; ++i) events.parts[rows[i]] = Part::kValid;
}

// Calls visit(rows of one user, last event last) for every user in order.
template <typename Visit>
void for_each_user(const Events& events, const Visit& visit) {
  const auto ranks = item_ranks(events.item_ids);
  Rows rows = all_rows(events);
  const auto place = [&](std::uint64_t row) {
    return std::tuple(events.users[row], events.times[row], ranks[events.items[row]], row);
  };
  std::sort(rows.begin(), rows.end(), [&](std::uint64_t a, std::uint64_t b) { return place(a) < place(b); });
  for (std::size_t begin = 0; begin < rows.size();) {
    std::size_t end = begin;
    while (end < rows.size() && events.users[rows[end]] == events.users[rows[begin]]) ++end;
    visit(std::span<const std::uint64_t>(rows).subspan(begin, end - begin));
    begin = end;
  }
}

void leave_one_out(const SplitConfig& split, Events& events) {
  const std::uint64_t valid = split.valid > 0.0 ? 1 : 0;
  for_each_user(events, [&](std::span<const std::uint64_t> rows) {
    if (rows.size() >= 2 + valid) mark_tail(rows, 1, valid, events);
  });
}

void ratio_by_user(const SplitConfig& split, Events& events) {
  for_each_user(events, [&](std::span<const std::uint64_t> rows) {
    const std::uint64_t test = share_of(rows.size(), split.test);
    mark_tail(rows, test, share_of(rows.size() - test, split.valid), events);
  });
}

void global_time(const SplitConfig& split, Events& events) {
  Rows rows = all_rows(events);
  std::sort(rows.begin(), rows.end(), [&](std::uint64_t a, std::uint64_t b) {
    return std::tuple(events.times[a], a) < std::tuple(events.times[b], b);
  });
  // The tail of `share`, grown to whole times.
  const auto tail = [&](std::size_t n, double share) {
    std::size_t begin = n - share_of(n, share);
    while (begin > 0 && begin < n && events.times[rows[begin - 1]] == events.times[rows[begin]]) --begin;
    return n - begin;
  };
  const std::size_t test = tail(rows.size(), split.test);
  mark_tail(rows, test, tail(rows.size() - test, split.valid), events);
}

// Rows in a seeded random order that depends on nothing but seed and row number.
Rows shuffled(const Events& events, std::uint64_t seed) {
  Rows rows = all_rows(events);
  std::sort(rows.begin(), rows.end(), [seed](std::uint64_t a, std::uint64_t b) {
    return std::tuple(combine(seed, a), a) < std::tuple(combine(seed, b), b);
  });
  return rows;
}

void ratio(const SplitConfig& split, std::uint64_t seed, Events& events) {
  const Rows rows = shuffled(events, seed);
  const std::uint64_t test = share_of(rows.size(), split.test);
  mark_tail(rows, test, share_of(rows.size() - test, split.valid), events);
}

void kfold(const SplitConfig& split, std::uint64_t seed, Events& events) {
  const Rows rows = shuffled(events, seed);
  Rows rest, test;
  for (std::size_t i = 0; i < rows.size(); ++i)
    (i % split.folds == split.fold ? test : rest).push_back(rows[i]);
  mark_tail(test, test.size(), 0, events);
  mark_tail(rest, 0, share_of(rest.size(), split.valid), events);
}

void by_files(const SplitConfig& split, std::uint64_t seed, const std::vector<Origin>& origin,
              Events& events) {
  Rows train;
  bool has_valid = false;
  for (std::size_t row = 0; row < origin.size(); ++row) {
    events.parts[row] = static_cast<Part>(static_cast<std::uint8_t>(origin[row]));
    if (origin[row] == Origin::kTrain) train.push_back(row);
    has_valid = has_valid || origin[row] == Origin::kValid;
  }
  if (has_valid || split.valid <= 0.0) return;
  if (events.users.empty()) {
    std::sort(train.begin(), train.end(), [seed](std::uint64_t a, std::uint64_t b) {
      return std::tuple(combine(seed, a), a) < std::tuple(combine(seed, b), b);
    });
    mark_tail(train, 0, share_of(train.size(), split.valid), events);
    return;
  }
  // Without times the order of the lines says nothing about what came last: a random share stands in.
  const auto place = [&](std::uint64_t row) {
    const bool timed = !events.times.empty();
    return std::tuple(events.users[row], timed ? events.times[row] : 0,
                      timed ? std::uint64_t{0} : combine(seed, row), row);
  };
  std::sort(train.begin(), train.end(),
            [&](std::uint64_t a, std::uint64_t b) { return place(a) < place(b); });
  for (std::size_t begin = 0; begin < train.size();) {
    std::size_t end = begin;
    while (end < train.size() && events.users[train[end]] == events.users[train[begin]]) ++end;
    mark_tail(std::span<const std::uint64_t>(train).subspan(begin, end - begin), 0,
              share_of(end - begin, split.valid), events);
    begin = end;
  }
}

Status check(const SplitConfig& split, const Events& events) {
  const auto invalid = [](std::string message) {
    return make_error(ErrorCode::kInvalid, std::move(message));
  };
  const bool by_user = split.method == SplitMethod::kLeaveOneOut || split.method == SplitMethod::kRatioByUser;
  if (by_user && (events.users.empty() || events.items.empty() || events.times.empty())) {
    return invalid("a split by user needs data.user, data.item and data.time");
  }
  if (split.method == SplitMethod::kGlobalTime && events.times.empty()) {
    return invalid("split global_time needs data.time");
  }
  if (!(split.test >= 0.0 && split.test < 1.0 && split.valid >= 0.0 && split.valid < 1.0)) {
    return invalid("split shares must be at least 0 and below 1");
  }
  if (split.method == SplitMethod::kKFold && (split.folds < 2 || split.fold >= split.folds)) {
    return invalid(fmt::format("split kfold needs folds >= 2 and fold < folds; they are {} and {}",
                               split.folds, split.fold));
  }
  return ok_status();
}

}  // namespace

std::vector<std::uint32_t> item_ranks(const IdIndex& items) {
  const auto& names = items.names();
  std::vector<long long> numbers;
  for (const auto& name : names) {
    const auto number = parse_int(name);
    if (!number) break;
    numbers.push_back(*number);
  }
  const bool numeric = numbers.size() == names.size();
  std::vector<std::uint32_t> order(names.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return numeric ? numbers[a] < numbers[b] : names[a] < names[b];
  });
  std::vector<std::uint32_t> ranks(names.size());
  for (std::uint32_t place = 0; place < order.size(); ++place) ranks[order[place]] = place;
  return ranks;
}

Status assign_parts(const SplitConfig& split, std::uint64_t seed, const std::vector<Origin>& origin,
                    Events& events) {
  CAPSTAN_TRY(check(split, events));
  events.parts.assign(events.rows(), Part::kTrain);
  switch (split.method) {
    case SplitMethod::kNone:
      if (std::find_if(origin.begin(), origin.end(), [](Origin o) { return o != Origin::kTrain; }) !=
          origin.end()) {
        by_files(split, seed, origin, events);
      }
      break;
    case SplitMethod::kLeaveOneOut:
      leave_one_out(split, events);
      break;
    case SplitMethod::kGlobalTime:
      global_time(split, events);
      break;
    case SplitMethod::kRatioByUser:
      ratio_by_user(split, events);
      break;
    case SplitMethod::kRatio:
      ratio(split, seed, events);
      break;
    case SplitMethod::kKFold:
      kfold(split, seed, events);
      break;
    case SplitMethod::kFiles:
      by_files(split, seed, origin, events);
      break;
  }
  if (std::find(events.parts.begin(), events.parts.end(), Part::kTrain) == events.parts.end()) {
    return make_error(ErrorCode::kInvalid, "the split leaves nothing to train on");
  }
  return ok_status();
}

}  // namespace capstan
