#include "sim/ledger_program.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <limits>
#include <set>

namespace capstan {
namespace {

constexpr std::uint32_t kLedgerTable = 0;
constexpr std::uint32_t kTestPartitions = 2;

// A number in [-1, 1) that names one float of one gradient.
float noise(const BatchId& id, Key key, std::uint64_t dim) {
  const std::uint64_t hash = combine(key, id.pass, id.partition, id.batch, dim);
  return static_cast<float>(static_cast<std::int32_t>(hash >> 40) - (1 << 23)) / static_cast<float>(1 << 23);
}

}  // namespace

LedgerProgram::LedgerProgram(std::shared_ptr<const Ledger> ledger, std::shared_ptr<Findings> findings,
                             Consistency consistency, std::uint32_t staleness)
    : ledger_(std::move(ledger)),
      findings_(std::move(findings)),
      consistency_(consistency),
      staleness_(staleness),
      tables_(ledger_->tables()) {
  info_.data_fingerprint = ledger_->shape().seed;
  info_.train_examples = std::uint64_t{ledger_->shape().partitions} * ledger_->shape().batches;
  info_.evaluate_parts = {{"test", kTestPartitions}};
}

std::uint64_t LedgerProgram::num_batches(const WorkItem& item) const {
  return item.kind == WorkKind::kTrain ? ledger_->shape().batches : 1;
}

Status LedgerProgram::build(const WorkItem& item, std::uint64_t batch, Step& step) {
  std::vector<Key> keys = ledger_->keys();
  if (item.kind == WorkKind::kTrain) {
    keys = ledger_->touched({item.pass, item.partition, batch});
  } else {
    std::erase_if(keys, [&](Key key) { return key % item.num_partitions != item.partition; });
    sort_for_wire(keys, ledger_->shape().num_shards);
  }
  if (keys.empty()) return ok_status();
  for (std::uint32_t table = 0; table < tables_.size(); ++table) {
    step.tables.push_back({table, tables_[table].dense ? ledger_->dense_keys() : keys, {}, {}});
  }
  return ok_status();
}

Status LedgerProgram::compute(const WorkItem& item, Step& step) {
  const BatchId id{item.pass, item.partition, step.batch};
  const bool train = item.kind == WorkKind::kTrain;
  ++(train ? findings_->computed : findings_->evaluated);
  step.examples = 1;
  for (StepTable& table : step.tables) {
    const std::size_t dim = tables_[table.table].dim;
    if (train) table.gradients.resize(table.rows.size());
    for (std::size_t i = 0; i < table.keys.size(); ++i) {
      const std::span<const float> row(table.rows.data() + i * dim, dim);
      if (table.table == kLedgerTable && !train) {
        check_whole(table.keys[i], row);
      } else if (table.table == kLedgerTable) {
        check_train(id, table.keys[i], row);
        float* gradient = table.gradients.data() + i * dim;
        ledger_->gradient(id, gradient);
        if (ledger_->is_refused(id, table.keys[i])) *gradient = std::numeric_limits<float>::quiet_NaN();
      } else {
        for (std::size_t d = 0; d < dim && train; ++d) {
          table.gradients[i * dim + d] = 0.5F * row[d] + noise(id, table.keys[i], d);
        }
      }
    }
  }
  return ok_status();
}

void LedgerProgram::check_train(const BatchId& id, Key key, std::span<const float> row) {
  if (ledger_->shape().sums) return;  // which batches a row has seen is not in it
  Batches seen;
  std::string why;
  const auto wrong = [&](const std::string& what) {
    findings_->report(fmt::format("{}, key {:016x}: {}", to_string(id), key, what));
  };
  if (!ledger_->decode(row, seen, why)) return wrong(why);
  std::uint64_t must_have = 0;
  if (consistency_ == Consistency::kBounded && id.batch > staleness_) must_have = id.batch - staleness_;
  if (consistency_ == Consistency::kSync) must_have = id.batch;
  for (const BatchId& each : ledger_->touching(key, id.pass, must_have)) {
    if (!contains(seen, each)) return wrong("has not seen " + to_string(each));
  }
  // Of every stream a first part: what is missing lies after all that is there.
  const Segments segments = ledger_->segments(consistency_);
  std::set<std::uint32_t> ended;
  for (const BatchId& each : ledger_->touching(key)) {
    if (each.pass != id.pass) continue;
    const std::uint32_t stream = segments.stream(each.partition, ledger_->shape().partitions, each.batch);
    if (!contains(seen, each)) {
      ended.insert(stream);
    } else if (ended.contains(stream)) {
      return wrong(to_string(each) + " came before an earlier batch of its stream");
    } else if (each.batch >= id.batch) {
      findings_->newest_lead = std::max(findings_->newest_lead, each.batch - id.batch);
    }
  }
}

void LedgerProgram::check_whole(Key key, std::span<const float> row) {
  const std::string wrong = ledger_->check_whole(key, row);
  if (!wrong.empty()) findings_->report(fmt::format("evaluation, key {:016x}: {}", key, wrong));
}

Result<Buffer> LedgerProgram::finish(const WorkItem& item) {
  if (item.kind == WorkKind::kMerge)
    return Buffer::copy_of(std::string_view(R"({"better": 1, "text": "done"})"));
  return Buffer();
}

}  // namespace capstan
