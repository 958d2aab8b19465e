#include "worker/program/training_sequences.h"

#include <algorithm>
#include <utility>

namespace capstan {

TrainingSequences::TrainingSequences(const Dataset& data, std::uint32_t list, std::uint32_t max_length,
                                     bool include_valid)
    : data_(data), list_(list), max_length_(max_length) {
  std::vector<std::vector<std::uint64_t>> examples(data.num_users);
  std::vector<std::vector<std::int64_t>> times(data.num_users);  // of all events: each was there before some
  const auto read = [&](const Examples& rows, std::uint64_t first, bool trains) {
    for (std::uint64_t row = 0; row < rows.size; ++row) {
      times[rows.user(row)].push_back(rows.times.empty() ? 0 : rows.time(row));
      if (trains) examples[rows.user(row)].push_back(first + row);
    }
  };
  read(data.train, 0, true);
  read(data.valid, data.train.size, include_valid);
  read(data.test, 0, false);
  for (std::uint32_t user = 0; user < data.num_users; ++user) {
    std::sort(times[user].begin(), times[user].end());
    if (!examples[user].empty()) add_user(examples[user], times[user]);
  }
}

void TrainingSequences::add_user(std::vector<std::uint64_t>& examples,
                                 const std::vector<std::int64_t>& times) {
  std::sort(examples.begin(), examples.end(), [&](std::uint64_t a, std::uint64_t b) {
    return std::pair(time_of(a), a) < std::pair(time_of(b), b);
  });
  const auto before = [&](std::uint64_t example) {
    return std::lower_bound(times.begin(), times.end(), time_of(example)) - times.begin();
  };
  const auto length = static_cast<std::ptrdiff_t>(list_at(examples.back()).size());
  const std::ptrdiff_t first = before(examples.back()) - length;
  for (const std::uint64_t example : examples) {
    const std::ptrdiff_t seen = before(example) - first;
    if (seen > 0) targets_.push_back({example, static_cast<std::uint32_t>(seen)});
  }
  if (targets_.size() > starts_.back()) starts_.push_back(targets_.size());
}

std::span<const Key> TrainingSequences::keys(std::uint64_t sequence) const {
  return list_at(targets(sequence).back().example);
}

const Examples& TrainingSequences::rows_of(std::uint64_t example, std::uint64_t& row) const {
  const bool train = example < data_.train.size;
  row = train ? example : example - data_.train.size;
  return train ? data_.train : data_.valid;
}

std::int64_t TrainingSequences::time_of(std::uint64_t example) const {
  std::uint64_t row = 0;
  const Examples& rows = rows_of(example, row);
  return rows.times.empty() ? 0 : rows.time(row);
}

std::span<const Key> TrainingSequences::list_at(std::uint64_t example) const {
  std::uint64_t row = 0;
  const auto keys = rows_of(example, row).fields[list_].row_keys(row);
  return keys.subspan(keys.size() - std::min<std::size_t>(keys.size(), max_length_));
}

}  // namespace capstan
