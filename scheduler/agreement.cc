#include "scheduler/agreement.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace capstan {

namespace {

WorkerReady ready_of(const TablesAgreed& agreed) {
  WorkerReady ready;
  ready.data_fingerprint = agreed.data_fingerprint;
  ready.tables = agreed.tables;
  ready.train_examples = agreed.train_examples;
  ready.evaluate_parts = agreed.parts;
  return ready;
}

std::string parts_text(const std::vector<EvaluatePart>& parts) {
  std::string text;
  for (const EvaluatePart& part : parts) text += fmt::format(" {}/{}", part.name, part.partitions);
  return text.empty() ? " none" : text;
}

}  // namespace

std::string disagreement(std::string_view first, const WorkerReady& first_says, std::string_view name,
                         const WorkerReady& says) {
  if (first_says.data_fingerprint != says.data_fingerprint) {
    return fmt::format(
        "{} and {} prepared different data (fingerprints {:016x} and {:016x}, {} and {} examples): do "
        "both read the same files with the same job?",
        first, name, first_says.data_fingerprint, says.data_fingerprint, first_says.train_examples,
        says.train_examples);
  }
  if (first_says.tables.size() != says.tables.size()) {
    return fmt::format("{} has {} tables, {} has {}", first, first_says.tables.size(), name,
                       says.tables.size());
  }
  for (std::size_t t = 0; t < says.tables.size(); ++t) {
    const std::string changed = difference(first_says.tables[t], says.tables[t]);
    if (!changed.empty()) return fmt::format("{} and {} disagree: {}", first, name, changed);
  }
  const auto same_part = [](const EvaluatePart& a, const EvaluatePart& b) {
    return a.name == b.name && a.partitions == b.partitions;
  };
  if (!std::equal(first_says.evaluate_parts.begin(), first_says.evaluate_parts.end(),
                  says.evaluate_parts.begin(), says.evaluate_parts.end(), same_part)) {
    return fmt::format("{} and {} would evaluate different parts:{} and{}", first, name,
                       parts_text(first_says.evaluate_parts), parts_text(says.evaluate_parts));
  }
  return "";
}

std::string disagreement(const TablesAgreed& agreed, std::string_view name, const WorkerReady& says) {
  return disagreement("the job", ready_of(agreed), name, says);
}

TablesAgreed agreed_of(const WorkerReady& ready) {
  return {ready.tables,         ready.data_fingerprint, ready.train_examples,
          ready.evaluate_parts, ready.summary,          ready.counts};
}

std::string too_many_tables(std::size_t tables, const ClusterConfig& cluster) {
  constexpr std::uint64_t kPartsMax = 1U << 20;
  const std::uint64_t parts = std::uint64_t{tables} * cluster.num_shards;
  if (parts <= kPartsMax) return "";
  return fmt::format(
      "{} tables in {} shards are {} parts, more than {}: let features share a `table`, or lower "
      "cluster.num_shards",
      tables, cluster.num_shards, parts, kPartsMax);
}

std::string table_difference(const std::vector<TableSpec>& before, const std::vector<TableSpec>& after) {
  for (const TableSpec& table : before) {
    const auto found = std::find_if(after.begin(), after.end(),
                                    [&](const TableSpec& other) { return other.name == table.name; });
    if (found == after.end()) return fmt::format("table {} is gone", table.name);
    const std::string changed = difference(table, *found);
    if (!changed.empty()) return changed;
  }
  return "";
}

}  // namespace capstan
