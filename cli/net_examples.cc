#include "cli/net_examples.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <set>
#include <utility>

#include "cli/feature_arrays.h"
#include "worker/loss/loss.h"
#include "worker/loss/stable.h"
#include "worker/models/backprop.h"
#include "worker/models/batch_builder.h"
#include "worker/program/example_writer.h"

namespace capstan {
namespace {

struct Split {
  const char* name;
  const Examples& rows;
};

Split split_of(const Dataset& data) {
  if (data.test.size > 0) return {"test", data.test};
  return data.valid.size > 0 ? Split{"valid", data.valid} : Split{"train", data.train};
}

}  // namespace

NetExamples::Field NetExamples::field_of(const std::string& name, const BatchData::Field& entries,
                                         const std::vector<Key>& keys) {
  Field field{name, {}, {entries.offsets.begin(), entries.offsets.end()}, entries.weights};
  for (const std::uint32_t position : entries.positions) field.keys.push_back(keys[position]);
  return field;
}

// Of the sparse tables. Gives how many keys, each of a table of features counted once.
std::uint64_t NetExamples::blank_missing_rows(const CheckpointTables& tables, const ModelTables& declared,
                                              std::vector<StepTable>& step) {
  std::set<std::pair<std::uint32_t, Key>> missing;
  for (StepTable& table : step) {
    const ModelTable& spec = declared.all()[table.table];
    if (spec.spec.dense) continue;
    for (std::size_t k = 0; k < table.keys.size(); ++k) {
      if (!tables.row(table.table, table.keys[k]).empty()) continue;
      std::fill_n(table.rows.begin() + static_cast<std::ptrdiff_t>(k * spec.spec.dim), spec.spec.dim, 0.0F);
      missing.emplace(spec.key_set, table.keys[k]);
    }
  }
  return missing.size();
}

Result<NetExamples> NetExamples::take(OfflineJob& job, std::uint32_t count) {
  const ModelProgram& program = *job.program;
  const Dataset& data = program.data();
  const ModelTables& tables = program.model().tables();
  const auto [name, rows] = split_of(data);
  NetExamples examples;
  examples.split_ = name;
  BatchBuilder builder(tables, program.job().cluster.num_shards);
  ExampleWriter writer(data, rows, tables, builder);
  BatchData& batch = builder.data();
  batch.num_dense = tables.num_dense_fields();
  for (std::uint64_t row = 0; row < std::min<std::uint64_t>(rows.size, count); ++row) {
    writer.add(row, rows.users.empty() ? 0 : rows.user(row), rows.items.empty() ? 0 : rows.item(row));
    examples.labels_.push_back(rows.label(row));
    if (!rows.users.empty()) examples.users_.push_back(rows.user(row));
    if (!rows.items.empty()) examples.items_.push_back(rows.item(row));
  }
  auto step = builder.finish();
  for (StepTable& table : step) job.tables->pull(table);
  examples.missing_ = examples.blank_missing_rows(*job.tables, tables, step);

  for (std::uint32_t f = 0; f < tables.num_fields(); ++f) {
    const auto key_set = tables.key_set_of(f);
    if (!key_set) continue;
    const auto found = std::find_if(step.begin(), step.end(), [&](const StepTable& table) {
      const ModelTable& each = tables.all()[table.table];
      return !each.spec.dense && each.key_set == *key_set;
    });
    const std::vector<Key> none;
    examples.fields_.push_back(
        field_of(tables.field(f).name, batch.fields[f], found == step.end() ? none : found->keys));
  }
  examples.num_dense_ = batch.num_dense;
  examples.dense_ = batch.dense;
  examples.scores_.resize(batch.size);
  Backprop backprop(program.model(), loss_of(program.job()), 1024);
  if (batch.size > 0) backprop.score(batch.view(), step, examples.scores_);
  return examples;
}

Status NetExamples::write(Storage& files, const std::string& path, bool probability) const {
  CAPSTAN_ASSIGN(NpzWriter writer, NpzWriter::create(files, path));
  for (const Field& field : fields_) {
    CAPSTAN_TRY(add_keys(writer, field.name, field.keys, field.offsets, field.weights));
  }
  if (!users_.empty()) CAPSTAN_TRY(writer.add("user", users_));
  if (!items_.empty()) CAPSTAN_TRY(writer.add("item", items_));
  if (num_dense_ > 0) CAPSTAN_TRY(writer.add("numbers", dense_, num_dense_));
  CAPSTAN_TRY(writer.add("label", labels_, 1));
  CAPSTAN_TRY(writer.add("score", scores_, 1));
  if (probability) {
    std::vector<float> probabilities;
    for (const float score : scores_) probabilities.push_back(static_cast<float>(sigmoid(score)));
    CAPSTAN_TRY(writer.add("probability", probabilities, 1));
  }
  return writer.finish();
}

std::string NetExamples::summary() const {
  return fmt::format("{} examples of {}, {} of their keys without a row", scores_.size(), split_, missing_);
}

}  // namespace capstan
