#include "cli/checkpoint_tables.h"

#include <spdlog/fmt/fmt.h>

#include <optional>

#include "ps/section_file.h"

namespace capstan {
namespace {

// The checkpoint that `path` means.
Result<std::pair<std::string, Manifest>> find_checkpoint(Storage& storage, const std::string& path) {
  CAPSTAN_ASSIGN(const bool itself, storage.exists(path + "/" + std::string(kManifestName)));
  if (itself) {
    CAPSTAN_ASSIGN(Manifest manifest, read_manifest(storage, path));
    return std::pair{path, std::move(manifest)};
  }
  CAPSTAN_ASSIGN(auto names, list_checkpoints(storage, path));
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    auto manifest = read_manifest(storage, name->directory);
    if (manifest.ok() && manifest->best) return std::pair{name->directory, std::move(manifest).value()};
  }
  CAPSTAN_ASSIGN(FoundCheckpoint found, newest_checkpoint(storage, path));
  return std::pair{found.directory, std::move(found.manifest)};
}

}  // namespace

Result<std::unique_ptr<Shard>> load_shard(Storage& storage, const Manifest& manifest,
                                          const std::string& directory, std::uint32_t shard) {
  auto made = std::make_unique<Shard>(shard, manifest.num_shards);
  made->declare({manifest.tables});
  for (const auto& section : manifest.sections) {
    if (section.shard != shard) continue;
    CAPSTAN_ASSIGN(const Buffer bytes, read_section(storage, directory, section));
    CAPSTAN_TRY(made->restore(bytes.bytes(), 0).wrap(directory + "/" + section.file));
  }
  return made;
}

Result<CheckpointTables> CheckpointTables::open(Storage& storage, const std::string& path) {
  CheckpointTables tables;
  auto found = find_checkpoint(storage, path);
  if (!found.ok()) return found.error().wrap("checkpoint " + path);
  tables.directory_ = found->first;
  tables.manifest_ = std::move(found->second);
  for (std::uint32_t shard = 0; shard < tables.manifest_.num_shards; ++shard) {
    CAPSTAN_ASSIGN(tables.shards_[shard], load_shard(storage, tables.manifest_, tables.directory_, shard));
  }
  return tables;
}

Result<std::uint32_t> CheckpointTables::table(const std::string& name) const {
  std::string known;
  for (std::uint32_t i = 0; i < manifest_.tables.size(); ++i) {
    if (manifest_.tables[i].name == name) return i;
    known += (i == 0 ? "" : ", ") + manifest_.tables[i].name;
  }
  return make_error(ErrorCode::kNotFound, fmt::format("no table {}; there are {}", name, known));
}

void CheckpointTables::pull(StepTable& table) {
  const std::size_t dim = spec(table.table).dim;
  table.rows.resize(table.keys.size() * dim);
  std::size_t begin = 0;
  while (begin < table.keys.size()) {
    const std::uint32_t shard = shard_of(table.keys[begin], manifest_.num_shards);
    std::size_t end = begin + 1;
    while (end < table.keys.size() && shard_of(table.keys[end], manifest_.num_shards) == shard) ++end;
    const Section section{table.table, static_cast<std::uint32_t>(end - begin)};
    shards_[shard]->pull({&section, 1}, table.keys.data() + begin, StepClock{},
                         table.rows.data() + begin * dim);
    begin = end;
  }
}

std::vector<std::byte> CheckpointTables::row(std::uint32_t table, Key key) const {
  std::vector<bool> found;
  std::vector<std::byte> bytes;
  shards_.at(shard_of(key, manifest_.num_shards))->get_rows(table, {&key, 1}, found, bytes);
  return bytes;
}

void CheckpointTables::for_each_row(std::uint32_t table,
                                    const std::function<void(Key, std::span<const std::byte>)>& visit) const {
  for (const auto& [id, shard] : shards_) shard->table(table).for_each_row(visit);
}

Result<Buffer> run_offline(StepProgram& program, const WorkItem& item, CheckpointTables& tables) {
  const std::uint64_t batches = item.kind == WorkKind::kMerge ? 0 : program.num_batches(item);
  for (std::uint64_t batch = 0; batch < batches; ++batch) {
    Step step;
    step.batch = batch;
    CAPSTAN_TRY(program.build(item, batch, step));
    for (auto& table : step.tables) tables.pull(table);
    CAPSTAN_TRY(program.compute(item, step));
  }
  return program.finish(item);
}

}  // namespace capstan
