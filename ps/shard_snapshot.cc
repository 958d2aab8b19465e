// Shard: its snapshots, whole or what changed, and coming back from them.
#include <algorithm>
#include <numeric>
#include <utility>

#include "common/planted_bugs.h"
#include "ps/section_format.h"
#include "ps/shard.h"

namespace capstan {
namespace {

// More steps than this cannot be told from the past by their low 32 bits.
constexpr std::uint64_t kStepsMax = (std::uint64_t{1} << 31) - 1;
constexpr std::size_t kHeadsBytes = 4096;  // about: of a section beside its rows

Status restore_table(EmbeddingTable& table, const SectionTable& saved) {
  if (saved.record_bytes != table.record_bytes()) {
    return make_error(ErrorCode::kCorrupt, "table " + saved.name + ": rows of another size");
  }
  CAPSTAN_TRY(table.insert_rows(saved.records));
  return table.restore_state(saved.state);
}

}  // namespace

// Rows tell by their last step that they were pushed since, and the tables' logs which were removed.
std::optional<Shard::Mark> Shard::mark_of(std::uint64_t base) const {
  if (base == 0) return std::nullopt;
  const auto found =
      std::find_if(marks_.begin(), marks_.end(), [&](const Mark& mark) { return mark.checkpoint == base; });
  if (CAPSTAN_PLANTED(kDeltaOfUnknownBase) && found == marks_.end()) {
    Mark now{base, step_, {}};
    for (const auto& table : tables_) now.removals.push_back(table->removals().position());
    return now;
  }
  if (found == marks_.end() || step_ - found->step > kStepsMax) return std::nullopt;
  Mark mark = CAPSTAN_PLANTED(kDeltaOfFailedCheckpoint) ? marks_.back() : *found;
  mark.checkpoint = base;
  mark.removals.resize(tables_.size());  // a table that came since has removed nothing before
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    if (!tables_[i]->removals().since(mark.removals[i])) return std::nullopt;
  }
  return mark;
}

void Shard::remember(SnapshotIds ids) {
  std::erase_if(marks_, [&](const Mark& mark) { return mark.checkpoint != ids.base; });
  if (ids.checkpoint != 0) {
    Mark& mark = marks_.emplace_back(Mark{ids.checkpoint, step_, {}});
    for (const auto& table : tables_) mark.removals.push_back(table->removals().position());
  }
  if (marks_.empty()) return forget_snapshots();
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    const auto& oldest = marks_.front().removals;
    tables_[i]->removals().keep_from(i < oldest.size() ? oldest[i] : 0);
  }
}

void Shard::forget_snapshots() {
  marks_.clear();
  for (const auto& table : tables_) table->removals().stop();
}

ShardSnapshot Shard::snapshot(const Wish& wish) {
  const std::optional<Mark> base = mark_of(wish.ids.base);
  ShardSnapshot taken;
  taken.ticket = wish.ticket;
  taken.base = base ? wish.ids.base : 0;
  ByteWriter out;
  save(out, wish.ids.checkpoint, base);
  taken.bytes = out.take();
  for (const auto& table : tables_) taken.rows += table->size();
  remember(wish.ids);
  return taken;
}

void Shard::save(ByteWriter& out, std::uint64_t checkpoint, const std::optional<Mark>& base,
                 RowOrder order) const {
  std::optional<std::uint32_t> since;
  if (base) since = static_cast<std::uint32_t>(base->step);
  ByteWriter state;
  state.put(version_);
  state.put(step_);
  state.put(stats_.pushes_applied);
  state.put(stats_.pushes_refused);
  CAPSTAN_PLANTED(kSnapshotWithoutStreams) ? PushWindow().save(state) : window_.save(state);
  const Buffer state_bytes = state.take();
  std::vector<std::size_t> records;  // bytes of each table's
  for (const auto& table : tables_) records.push_back(table->count_rows(since) * table->record_bytes());
  out.reserve(std::accumulate(records.begin(), records.end(), state_bytes.size() + kHeadsBytes));
  put_section(out, {id_, checkpoint, base ? base->checkpoint : 0}, state_bytes.bytes(), tables_.size());
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    const EmbeddingTable& table = *tables_[i];
    const std::vector<std::byte> table_state = table.save_state();
    SectionTable saved{specs_[i].name, static_cast<std::uint32_t>(table.record_bytes()), {}, table_state, {}};
    if (base && !CAPSTAN_PLANTED(kDeltaWithoutRemovals)) {
      saved.removed = std::as_bytes(*table.removals().since(base->removals[i]));
    }
    const std::span<std::byte> room = put_table(out, saved, records[i]);
    table.copy_rows(since, room.data());
    if (order == RowOrder::kByKey) sort_records(room, table.record_bytes());
  }
}

Result<ShardSnapshot> Shard::snapshot_after(std::uint32_t pass, std::uint64_t sequence, std::uint64_t ticket,
                                            SnapshotIds ids) {
  waiting_snapshot_ = {};
  const Wish wish{pass, sequence, ticket, ids};
  if (sequence == 0) {
    // A scheduler that was rebuilt from a cut can end a pass again that shards are behind.
    const bool past = combine_ && window_.newest_pass() > pass;
    if (past && !CAPSTAN_PLANTED(kCutsBehindTheShards)) {
      return make_error(ErrorCode::kStale, "the shard is past that pass");
    }
    return snapshot(wish);
  }
  const std::uint64_t now = clock_of(pass);
  if (now > sequence || window_.newest_pass() > pass) {
    return make_error(ErrorCode::kStale, "the shard is past that step");
  }
  if (now == sequence) return snapshot(wish);
  waiting_snapshot_ = wish;
  return ShardSnapshot{};
}

Status Shard::restore(std::span<const std::byte> bytes, std::uint64_t fence) {
  tables_.clear();
  for (const auto& spec : specs_) {
    tables_.push_back(std::make_unique<EmbeddingTable>(spec, num_shards_, sketch_width_));
  }
  marks_.clear();
  window_.fence_before(fence);
  waiting_.clear();
  undo_.clear();
  waiting_snapshot_ = {};
  ByteReader in(bytes);
  CAPSTAN_TRY(load(in));
  window_.forget_direct_below(fence);  // they are fenced, and nobody takes them over
  return in.finish();
}

Status Shard::load(ByteReader& in) {
  const auto corrupt = [](std::string what) { return make_error(ErrorCode::kCorrupt, std::move(what)); };
  CAPSTAN_ASSIGN(const SectionContent saved, get_section(in));
  if (saved.head.shard != id_) return corrupt("the snapshot of another shard");
  if (saved.head.base != 0) return corrupt("what changed since a snapshot, without that");
  ByteReader state(saved.state);
  version_ = state.get<std::uint64_t>();
  step_ = state.get<std::uint64_t>();
  stats_.pushes_applied = state.get<std::uint64_t>();
  stats_.pushes_refused = state.get<std::uint64_t>();
  window_.restore(state);
  CAPSTAN_TRY(state.finish());
  for (const SectionTable& table : saved.tables) {
    const auto spec =
        std::find_if(specs_.begin(), specs_.end(), [&](const TableSpec& s) { return s.name == table.name; });
    if (spec == specs_.end())
      return corrupt("the snapshot has a table " + table.name + " that the job has not");
    CAPSTAN_TRY(restore_table(*tables_[static_cast<std::size_t>(spec - specs_.begin())], table));
  }
  return ok_status();
}

}  // namespace capstan
