#include "cli/checkpoint_list.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "common/segments.h"

namespace capstan {
namespace {

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

Result<ListedCheckpoint> look_at(Storage& storage, const CheckpointName& name) {
  ListedCheckpoint listed;
  listed.checkpoint = name.checkpoint;
  listed.directory = name.directory;
  CAPSTAN_ASSIGN(const bool published, storage.exists(fmt::format("{}/{}", name.directory, kManifestName)));
  if (!published) {
    listed.state = CheckpointState::kUnpublished;
    listed.problem = fmt::format("{} has no {}", name.directory, kManifestName);
    return listed;
  }
  auto manifest = read_manifest(storage, name.directory);
  if (!manifest.ok() && is_unreachable(manifest.error())) return manifest.error();
  if (!manifest.ok()) {
    listed.state = CheckpointState::kDamaged;
    listed.problem = manifest.error().message;
    return listed;
  }
  listed.checkpoint = manifest->checkpoint;
  listed.manifest = std::move(manifest).value();
  return listed;
}

}  // namespace

std::string_view to_string(CheckpointState state) {
  switch (state) {
    case CheckpointState::kComplete:
      return "complete";
    case CheckpointState::kDamaged:
      return "damaged";
    default:
      return "unpublished";
  }
}

std::uint64_t ListedCheckpoint::steps() const {
  std::uint64_t steps = 0;
  for (const StreamState& stream : manifest->streams) {
    const WorkCursor& cursor = stream.cursor;
    const std::uint64_t first =
        first_batch_of_stream(cursor.work.partition, manifest->num_partitions, cursor.batches);
    steps += cursor.watermark - std::min(cursor.watermark, first);
  }
  return steps;
}

Result<std::vector<ListedCheckpoint>> list_all(Storage& storage, const std::string& given) {
  const std::string path = without_slash(given);
  CAPSTAN_ASSIGN(const bool exists, storage.exists(path));
  if (!exists) return make_error(ErrorCode::kNotFound, path + ": no such folder");
  CAPSTAN_ASSIGN(const bool itself, storage.exists(fmt::format("{}/{}", path, kManifestName)));
  std::vector<CheckpointName> names{{0, path}};
  if (!itself) {
    CAPSTAN_ASSIGN(names, list_checkpoints(storage, path));
  }
  std::vector<ListedCheckpoint> all;
  for (const CheckpointName& name : names) {
    CAPSTAN_ASSIGN(ListedCheckpoint each, look_at(storage, name));
    all.push_back(std::move(each));
  }
  return all;
}

Result<ListedCheckpoint> find_one(Storage& storage, const std::string& given) {
  const std::string path = without_slash(given);
  CAPSTAN_ASSIGN(const bool exists, storage.exists(path));
  if (!exists) return make_error(ErrorCode::kNotFound, path + ": no such checkpoint");
  CAPSTAN_ASSIGN(ListedCheckpoint found, look_at(storage, {0, path}));
  if (found.state != CheckpointState::kComplete) return make_error(ErrorCode::kCorrupt, found.problem);
  return found;
}

}  // namespace capstan
