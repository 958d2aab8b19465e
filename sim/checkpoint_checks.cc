// SimCluster: what must hold of its checkpoints, read as a restore would read them.
#include <spdlog/fmt/fmt.h>

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

std::string check_shard(const Ledger& ledger, const Shard& shard, std::uint32_t id, std::size_t passes,
                        const Segments& segments) {
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
  }
  for (std::uint32_t table = 0; table < ledger.tables().size(); ++table) {
    const EmbeddingTable& rows = shard.table(table);
    if (rows.max_rows() != 0 && rows.size() > rows.max_rows()) {
      return fmt::format("table {} has {} rows of {}", rows.spec().name, rows.size(), rows.max_rows());
    }
  }
  return "";
}

std::string check_checkpoint(Storage& storage, const Ledger& ledger, const Segments& segments,
                             const std::string& directory) {
  const auto manifest = read_manifest(storage, directory);
  if (!manifest.ok()) return manifest.error().message;
  for (const SectionChain chain : chains_of(manifest->sections)) {
    const std::uint32_t id = chain.front().shard;
    Shard shard(id, manifest->num_shards);
    shard.declare({manifest->tables});
    const auto bytes = read_chain(storage, directory, chain);
    if (!bytes.ok()) return bytes.error().message;
    const Status restored = shard.restore(bytes->bytes(), 0);
    if (!restored.ok()) return fmt::format("shard {}: {}", id, restored.error().message);
    const std::string wrong = check_shard(ledger, shard, id, manifest->passes.size(), segments);
    if (!wrong.empty()) return fmt::format("shard {}, {} sections: {}", id, chain.size(), wrong);
  }
  return "";
}

}  // namespace

std::string SimCluster::check_checkpoints() const {
  if (options_.checkpoint_every_steps == 0 || options_.shape.sums) return "";
  Storage& storage = scheduler_->storage();
  const Segments segments = ledger_->segments(options_.consistency);
  const auto names = list_checkpoints(storage, config().checkpoint.path);
  if (!names.ok()) return names.error().message;
  for (const CheckpointName& name : *names) {
    const auto published = is_published(storage, name.directory);
    if (!published.ok() || !*published) continue;
    const std::string wrong = check_checkpoint(storage, *ledger_, segments, name.directory);
    if (!wrong.empty()) return fmt::format("{}: {}", name.directory, wrong);
  }
  return "";
}

}  // namespace capstan
