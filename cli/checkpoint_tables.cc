#include "cli/checkpoint_tables.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "ps/section_file.h"
#include "scheduler/passed_over.h"

namespace capstan {
namespace {

struct Candidates {
  std::vector<FoundCheckpoint> found;  // the likeliest first
  std::uint32_t run_began = 0;  // the newest run's generation; checkpoints of lower ones are of earlier runs
  std::vector<std::string> damaged;
};

// What a folder of checkpoints may mean: of the newest run its newest best, then its others, the newest
// first, then those of earlier runs.
Result<Candidates> candidates_in(Storage& storage, const std::string& path, std::uint32_t run_began) {
  Candidates all;
  all.run_began = run_began;
  CAPSTAN_ASSIGN(const auto names, list_checkpoints(storage, path));
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    CAPSTAN_ASSIGN(const bool published, is_published(storage, name->directory));
    if (!published) continue;
    auto manifest = read_manifest_alone(storage, name->directory);
    if (manifest.ok()) all.run_began = std::max(all.run_began, manifest->run);
    const Status whole =
        manifest.ok() ? check_files(storage, name->directory, *manifest) : Status(manifest.error());
    if (!whole.ok() && is_unreachable(whole.error())) return whole.error();
    if (whole.ok()) {
      all.found.push_back({name->directory, std::move(manifest).value(), {}});
    } else {
      all.damaged.push_back(passed_over(name->directory, whole.error().message));
    }
  }
  const auto begin = all.found.begin();
  const auto of_this_run = [&](const FoundCheckpoint& each) {
    return each.manifest.generation >= all.run_began;
  };
  const auto earlier = std::stable_partition(begin, all.found.end(), of_this_run);
  const auto best =
      std::find_if(begin, earlier, [](const FoundCheckpoint& each) { return each.manifest.best; });
  if (best != earlier) std::rotate(begin, best, best + 1);
  return all;
}

}  // namespace

Result<std::unique_ptr<Shard>> load_shard(Storage& storage, const Manifest& manifest,
                                          const std::string& directory, std::uint32_t shard) {
  auto made = std::make_unique<Shard>(shard, manifest.num_shards);
  made->declare({manifest.tables});
  const SectionChain chain = chain_of(manifest.sections, shard);
  if (chain.empty()) return made;
  CAPSTAN_ASSIGN(const Buffer bytes, read_chain(storage, directory, chain));
  CAPSTAN_TRY(made->restore(bytes.bytes(), 0).wrap(section_path(directory, chain.back())));
  return made;
}

Status CheckpointTables::load(Storage& storage, FoundCheckpoint checkpoint) {
  directory_ = std::move(checkpoint.directory);
  manifest_ = std::move(checkpoint.manifest);
  shards_.clear();
  for (std::uint32_t shard = 0; shard < manifest_.num_shards; ++shard) {
    CAPSTAN_ASSIGN(shards_[shard], load_shard(storage, manifest_, directory_, shard));
  }
  return ok_status();
}

Result<CheckpointTables> CheckpointTables::open(Storage& storage, const std::string& path,
                                                std::uint32_t run_began) {
  CheckpointTables tables;
  CAPSTAN_ASSIGN(const bool itself, is_published(storage, path));
  if (itself) {
    CAPSTAN_ASSIGN(Manifest manifest, read_manifest(storage, path));
    CAPSTAN_TRY(tables.load(storage, {path, std::move(manifest), {}}));
    return tables;
  }
  CAPSTAN_ASSIGN(Candidates candidates, candidates_in(storage, path, run_began));
  for (FoundCheckpoint& each : candidates.found) {
    if (const Status loaded = tables.load(storage, std::move(each)); !loaded.ok()) {
      if (is_unreachable(loaded.error())) return loaded.error();
      candidates.damaged.push_back(passed_over(tables.directory_, loaded.error().message));
      continue;
    }
    for (const std::string& what : candidates.damaged) {
      tables.notes_.push_back("passed over a damaged checkpoint: " + what);
    }
    if (!candidates.damaged.empty()) tables.notes_.push_back(tables.directory_ + " is read instead");
    if (tables.manifest_.generation < candidates.run_began) {
      tables.notes_.push_back(fmt::format("{} is of an earlier run; the newest run has no checkpoint to read",
                                          tables.directory_));
    }
    return tables;
  }
  std::string text = fmt::format("no checkpoint that can be read in {}", path);
  for (const std::string& what : candidates.damaged) text += "; " + what;
  return make_error(ErrorCode::kNotFound, text);
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
    const std::span<const Key> keys(table.keys.data() + begin, end - begin);
    shards_[shard]->table(table.table).gather(keys, table.rows.data() + begin * dim);
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

}  // namespace capstan
