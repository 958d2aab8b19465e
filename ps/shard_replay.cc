// Shard: as a replica, replaying records or starting from another's bytes.
#include <utility>

#include "ps/section_counts.h"
#include "ps/shard.h"

namespace capstan {
namespace {

PushedSlice slice_of(const ShardRecord& record) {
  const ReplicaRecord& head = record.head;
  PushedSlice slice;
  slice.pass = head.pass;
  slice.partition = head.partition;
  slice.term = head.term;
  slice.sequence = head.sequence;
  slice.previous = head.previous;
  slice.step = head.step;
  slice.sections = head.sections;
  slice.keys = record.keys.as<Key>().data();
  slice.gradients = record.gradients.data();
  slice.keys_owner = record.keys;
  slice.gradients_owner = record.gradients;
  slice.malformed = head.refused;
  slice.full = head.full;
  slice.checked = true;
  return slice;
}

// In place of a waiting slice's number of sections: it was refused, and waits as an empty one.
constexpr std::uint64_t kWaitsRefused = ~std::uint64_t{0};

Buffer part_of(const Buffer& owner, const void* from, std::size_t size) {
  if (size == 0) return {};
  const auto offset = static_cast<std::size_t>(static_cast<const std::byte*>(from) - owner.data());
  return owner.slice(offset, size);
}

}  // namespace

ShardRecord record_of(const PushedSlice& slice, const PushOutcome& outcome, std::uint32_t now_seconds,
                      std::span<const TableSpec> specs) {
  ShardRecord record;
  ReplicaRecord& head = record.head;
  head.kind = RecordKind::kPush;
  head.pass = slice.pass;
  head.partition = slice.partition;
  head.term = slice.term;
  head.sequence = slice.sequence;
  head.previous = slice.previous;
  head.step = slice.step;
  head.now_seconds = now_seconds;
  head.refused = outcome.status != SliceStatus::kOk;
  head.full = outcome.full;
  if (head.refused) return record;
  head.sections = slice.sections;
  const SectionCounts counts = counts_of(slice.sections, specs);
  record.keys = part_of(slice.keys_owner, slice.keys, counts.keys * sizeof(Key));
  record.gradients = part_of(slice.gradients_owner, slice.gradients, counts.value_bytes);
  return record;
}

PushOutcome Shard::replay(const ShardRecord& record) {
  const ReplicaRecord& head = record.head;
  PushOutcome outcome;
  switch (head.kind) {
    case RecordKind::kPush:
      return push(slice_of(record), head.now_seconds);
    case RecordKind::kEvict:
      for (std::size_t i = 0; i < tables_.size(); ++i) {
        count_evicted(i, tables_[i]->evict_expired(head.now_seconds));
        const std::uint64_t count = i < head.evicted.size() ? head.evicted[i] : 0;
        if (count > 0) tables_[i]->evict_count(count, step_);
        count_evicted(i, count);
        stats_.rows_squeezed += count;
      }
      break;
    case RecordKind::kForget:
      forget_below(head.pass, head.term);
      break;
    case RecordKind::kReplace:
      // Bytes that are no snapshot leave it empty, as they left the primary.
      static_cast<void>(restore(record.blob.bytes(), head.term).ok());
      break;
  }
  outcome.version = version_;
  outcome.clock = clock();
  return outcome;
}

Buffer Shard::save_all(RowOrder order) const {
  ByteWriter out;
  out.put(window_.fence());
  out.put(static_cast<std::uint64_t>(waiting_.size()));
  for (const auto& [slot, part] : waiting_) {
    out.put(part.pass);
    out.put(part.partition);
    out.put(part.term);
    out.put(part.sequence);
    out.put(part.refused ? kWaitsRefused : static_cast<std::uint64_t>(part.sections.size()));
    for (const Section& section : part.sections) {
      out.put(section.table);
      out.put(section.count);
    }
    const SectionCounts counts = counts_of(part.sections, specs_);
    out.put_vector(std::vector<Key>(part.keys, part.keys + counts.keys));
    const auto* gradients = static_cast<const float*>(part.gradients);
    out.put_vector(std::vector<float>(gradients, gradients + counts.floats));
  }
  undo_.save(out);
  save(out, 0, std::nullopt, order);
  // Not where there was no direct stream: servers of builds that know none can learn, too.
  if (window_.direct_fence() != 0) out.put(window_.direct_fence());
  return out.take();
}

Status Shard::load_all(std::span<const std::byte> bytes) {
  ByteReader in(bytes);
  window_.fence_before(in.get<std::uint64_t>());
  const auto count = in.get<std::uint64_t>();
  for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
    PushedSlice part;
    part.pass = in.get<std::uint32_t>();
    part.partition = in.get<std::uint32_t>();
    part.term = in.get<std::uint64_t>();
    part.sequence = in.get<std::uint64_t>();
    const auto said = in.get<std::uint64_t>();
    part.refused = said == kWaitsRefused;
    const std::uint64_t sections = part.refused ? 0 : said;
    for (std::uint64_t n = 0; n < sections && !in.failed(); ++n) {
      Section section;
      section.table = in.get<std::uint32_t>();
      section.count = in.get<std::uint32_t>();
      if (section.table >= specs_.size()) return make_error(ErrorCode::kCorrupt, "an unknown table waits");
      part.sections.push_back(section);
    }
    part.keys_owner = Buffer::adopt(in.get_vector<Key>());
    part.gradients_owner = Buffer::adopt(in.get_vector<float>());
    const SectionCounts counts = counts_of(part.sections, specs_);
    if (part.keys_owner.size() != counts.keys * sizeof(Key) ||
        part.gradients_owner.size() != counts.floats * sizeof(float)) {
      return make_error(ErrorCode::kCorrupt, "a waiting slice does not fit its sections");
    }
    part.keys = part.keys_owner.as<Key>().data();
    part.gradients = part.gradients_owner.as<float>().data();
    part.checked = true;
    waiting_[part.partition] = std::move(part);
  }
  undo_.load(in, specs_);
  CAPSTAN_TRY(load(in));
  if (Status whole = in.finish(); whole.ok()) return whole;
  window_.forget_direct_below(in.get<std::uint64_t>());
  return in.finish();
}

}  // namespace capstan
