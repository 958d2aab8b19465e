// SimCluster: what must hold of its checkpoints, read as a restore would read them.
#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "ps/section_file.h"
#include "scheduler/manifest.h"
#include "sim/cluster.h"

namespace capstan {
namespace {

constexpr std::uint32_t kLedgerTable = 0;

// The batches of which the shard holds its part, says its memory of pushes; of passes before the cut all.
Batches applied(const Ledger& ledger, Key key, const PushWindow& window, std::size_t passes,
                const Segments& segments) {
  Batches batches = ledger.touching(key);
  std::erase_if(batches, [&](const BatchId& id) {
    const std::uint32_t stream = segments.stream(id.partition, ledger.shape().partitions, id.batch);
    return id.pass >= passes && id.batch >= window.last(id.pass, stream);
  });
  return batches;
}

bool touches(const Ledger& ledger, const BatchId& id, std::uint32_t shard) {
  const std::vector<Key> keys = ledger.touched(id);
  const auto in_shard = [&](Key key) { return shard_of(key, ledger.shape().num_shards) == shard; };
  const std::vector<Key>& dense = ledger.dense_keys();
  return std::any_of(keys.begin(), keys.end(), in_shard) ||
         (!keys.empty() && std::any_of(dense.begin(), dense.end(), in_shard));
}

// What a restore begins behind: of each stream of the cut's pass a part whose pushes all are in the rows.
class Cursors {
 public:
  Cursors(const Manifest& manifest, Consistency mode, const Segments& segments)
      : manifest_(manifest), mode_(mode), segments_(segments) {}

  bool contain(const BatchId& id) const {
    if (id.pass < manifest_.passes.size()) return true;
    return std::any_of(manifest_.streams.begin(), manifest_.streams.end(), [&](const StreamState& stream) {
      return stream.cursor.work.pass == id.pass && partition_of(stream.cursor) == id.partition &&
             first_of(stream.cursor) <= id.batch && id.batch < stream.cursor.watermark;
    });
  }
  // A cursor that is ahead of the shard, or, in sync, elsewhere.
  std::string check_window(const Ledger& ledger, const PushWindow& window, std::uint32_t shard) const {
    for (const StreamState& stream : manifest_.streams) {
      const WorkCursor& cursor = stream.cursor;
      BatchId id{cursor.work.pass, partition_of(cursor), first_of(cursor)};
      for (; id.batch < cursor.watermark; ++id.batch) {
        const std::uint32_t number = segments_.stream(id.partition, manifest_.num_partitions, id.batch);
        const bool reported = mode_ != Consistency::kAsync || touches(ledger, id, shard);
        if (!reported || window.last(id.pass, number) > id.batch) continue;
        return fmt::format("the watermark is {}, {} is not in the shard's memory", cursor.watermark,
                           to_string(id));
      }
      const std::uint64_t last = window.last(cursor.work.pass, cursor.work.partition);
      if (mode_ == Consistency::kSync && last != cursor.watermark) {
        return fmt::format("slot {} is at step {}, the cut after {}", cursor.work.partition, last,
                           cursor.watermark);
      }
    }
    return "";
  }
  std::string check_row(const Ledger& ledger, Key key, const Batches& held) const {
    for (const BatchId& id : ledger.touching(key)) {
      const bool must = contain(id), has = capstan::contains(held, id);
      if (must && !has) return fmt::format("lacks {}, which is below its watermark", to_string(id));
      if (has && !must && mode_ == Consistency::kSync) {
        return fmt::format("holds {}, which is behind the cut's step", to_string(id));
      }
    }
    return "";
  }

 private:
  std::uint32_t partition_of(const WorkCursor& cursor) const {
    return partition_of_stream(cursor.work.partition, manifest_.num_partitions);
  }
  std::uint64_t first_of(const WorkCursor& cursor) const {
    return first_batch_of_stream(cursor.work.partition, manifest_.num_partitions, cursor.batches);
  }

  const Manifest& manifest_;
  Consistency mode_;
  const Segments& segments_;
};

std::string check_shard(const Ledger& ledger, const Shard& shard, std::uint32_t id, std::size_t passes,
                        const Segments& segments, const Cursors& cursors) {
  if (std::string wrong = cursors.check_window(ledger, shard.window(), id); !wrong.empty()) return wrong;
  for (const Key key : ledger.keys()) {
    if (shard_of(key, ledger.shape().num_shards) != id) continue;
    std::vector<float> row(ledger.dim(), 0.0F);
    shard.table(kLedgerTable).gather({&key, 1}, row.data());
    Batches held;
    std::string why;
    if (!ledger.decode(row, held, why)) return fmt::format("key {:016x}: {}", key, why);
    const Batches expected = applied(ledger, key, shard.window(), passes, segments);
    if (held != expected) {
      return fmt::format("key {:016x}: holds {} batches, and {} were applied", key, held.size(),
                         expected.size());
    }
    if (const std::string wrong = cursors.check_row(ledger, key, held); !wrong.empty()) {
      return fmt::format("key {:016x}: {}", key, wrong);
    }
  }
  for (std::uint32_t table = 0; table < ledger.tables().size(); ++table) {
    const EmbeddingTable& rows = shard.table(table);
    if (rows.max_rows() != 0 && rows.size() > rows.max_rows()) {
      return fmt::format("table {} has {} rows of {}", rows.spec().name, rows.size(), rows.max_rows());
    }
  }
  return "";
}

std::string check_checkpoint(Storage& storage, const Ledger& ledger, Consistency mode,
                             const std::string& directory) {
  const Segments segments = ledger.segments(mode);
  const auto manifest = read_manifest(storage, directory);
  if (!manifest.ok()) return manifest.error().message;
  const Cursors cursors(*manifest, mode, segments);
  for (const SectionChain chain : chains_of(manifest->sections)) {
    const std::uint32_t id = chain.front().shard;
    Shard shard(id, manifest->num_shards);
    shard.declare({manifest->tables});
    const auto bytes = read_chain(storage, directory, chain);
    if (!bytes.ok()) return bytes.error().message;
    const Status restored = shard.restore(bytes->bytes(), 0);
    if (!restored.ok()) return fmt::format("shard {}: {}", id, restored.error().message);
    const std::string wrong = check_shard(ledger, shard, id, manifest->passes.size(), segments, cursors);
    if (!wrong.empty()) return fmt::format("shard {}, {} sections: {}", id, chain.size(), wrong);
  }
  return "";
}

}  // namespace

std::string SimCluster::check_checkpoints() const {
  if (options_.checkpoint_every_steps == 0 || options_.shape.sums) return "";
  Storage& storage = scheduler_->storage();
  const auto names = list_checkpoints(storage, config().checkpoint.path);
  if (!names.ok()) return names.error().message;
  for (const CheckpointName& name : *names) {
    const auto published = is_published(storage, name.directory);
    if (!published.ok() || !*published) continue;
    const std::string wrong = check_checkpoint(storage, *ledger_, options_.consistency, name.directory);
    if (!wrong.empty()) return fmt::format("{}: {}", name.directory, wrong);
  }
  return "";
}

}  // namespace capstan
