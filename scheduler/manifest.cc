#include "scheduler/manifest.h"

#include <spdlog/fmt/fmt.h>

#include <charconv>
#include <map>

#include "common/object_path.h"
#include "common/sealed_json.h"
#include "common/section_chains.h"
#include "scheduler/passed_over.h"
#include "scheduler/records_json.h"

namespace capstan {

namespace {

constexpr std::string_view kFolderStem = "ckpt-";
constexpr std::uint32_t kFormat = 5;

// Passes and validations are stored as the journal stores them.
template <typename Record>
json::array records_array(const std::vector<Record>& records) {
  json::array array;
  for (const Record& record : records) array.push_back(json::string(to_json_text(JournalRecord(record))));
  return array;
}

template <typename Record>
Status read_records(const json::object& object, const char* name, std::vector<Record>& into) {
  const json::value* array = object.if_contains(name);
  if (array == nullptr || !array->is_array())
    return make_error(ErrorCode::kCorrupt, std::string("no ") + name);
  for (const json::value& text : array->get_array()) {
    if (!text.is_string()) return make_error(ErrorCode::kCorrupt, std::string("bad ") + name);
    CAPSTAN_ASSIGN(JournalRecord record, record_from_json(std::string_view(text.get_string())));
    const Record* typed = std::get_if<Record>(&record);
    if (typed == nullptr) return make_error(ErrorCode::kCorrupt, std::string("bad ") + name);
    into.push_back(*typed);
  }
  return ok_status();
}

json::array streams_array(const std::vector<StreamState>& streams) {
  json::array array;
  for (const StreamState& stream : streams) {
    json::object object = to_json(stream.cursor);
    object["done"] = stream.done;
    array.push_back(std::move(object));
  }
  return array;
}

json::array sections_array(const std::vector<ShardSection>& sections) {
  json::array array;
  for (const ShardSection& section : sections) array.push_back(to_json(section));
  return array;
}

Status read_lists(JsonReader& in, Manifest& manifest) {
  in.each_of("tables", [&](const json::object& object) -> Status {
    CAPSTAN_ASSIGN(TableSpec table, table_from_json(object));
    manifest.tables.push_back(std::move(table));
    return ok_status();
  });
  in.each_of("sections", [&](const json::object& object) -> Status {
    CAPSTAN_ASSIGN(ShardSection section, section_from_json(object));
    manifest.sections.push_back(std::move(section));
    return ok_status();
  });
  in.each_of("streams", [&](const json::object& object) -> Status {
    StreamState stream;
    CAPSTAN_ASSIGN(stream.cursor, cursor_from_json(object));
    JsonReader done(object);
    done.bool_of("done", stream.done);
    manifest.streams.push_back(std::move(stream));
    return done.status();
  });
  return in.status();
}

}  // namespace

std::string to_json_text(const Manifest& manifest) {
  const json::object object = {{"format", kFormat},
                               {"checkpoint", manifest.checkpoint},
                               {"generation", manifest.generation},
                               {"run", manifest.run},
                               {"job", manifest.job},
                               {"written_at", manifest.written_at},
                               {"best", manifest.best},
                               {"builds_on", manifest.builds_on},
                               {"num_shards", manifest.num_shards},
                               {"num_partitions", manifest.num_partitions},
                               {"data_fingerprint", manifest.data_fingerprint},
                               {"train_examples", manifest.train_examples},
                               {"job_fingerprint", manifest.job_fingerprint},
                               {"job_text", manifest.job_text},
                               {"tables", to_json(manifest.tables)},
                               {"passes", records_array(manifest.passes)},
                               {"validations", records_array(manifest.validations)},
                               {"streams", streams_array(manifest.streams)},
                               {"sections", sections_array(manifest.sections)}};
  return seal_json("manifest", json::serialize(object));
}

Result<Manifest> manifest_from_json(std::string_view text) {
  CAPSTAN_ASSIGN(const std::string_view body, unseal_json("manifest", text));
  CAPSTAN_ASSIGN(const json::object object, parse_json_object(body));
  Manifest manifest;
  JsonReader in(object);
  std::uint32_t format = 0;
  in.unsigned_of("format", format);
  if (format != kFormat) {
    return make_error(
        ErrorCode::kCorrupt,
        fmt::format("a checkpoint of format {}; this version reads format {} alone, so go on with the "
                    "version that wrote it, or train anew",
                    format, kFormat));
  }
  in.unsigned_of("checkpoint", manifest.checkpoint);
  in.unsigned_of("generation", manifest.generation);
  if (object.contains("run")) in.unsigned_of("run", manifest.run);
  in.text_of("job", manifest.job);
  in.text_of("written_at", manifest.written_at);
  in.bool_of("best", manifest.best);
  in.unsigned_of("builds_on", manifest.builds_on);
  in.unsigned_of("num_shards", manifest.num_shards);
  in.unsigned_of("num_partitions", manifest.num_partitions);
  in.unsigned_of("data_fingerprint", manifest.data_fingerprint);
  in.unsigned_of("train_examples", manifest.train_examples);
  in.unsigned_of("job_fingerprint", manifest.job_fingerprint);
  in.text_of("job_text", manifest.job_text);
  CAPSTAN_TRY(read_lists(in, manifest));
  CAPSTAN_TRY(read_records(object, "passes", manifest.passes));
  CAPSTAN_TRY(read_records(object, "validations", manifest.validations));
  return manifest;
}

std::string checkpoint_directory(const std::string& path, std::uint64_t checkpoint) {
  return fmt::format("{}/{}{:06}", path, kFolderStem, checkpoint);
}

Status write_manifest(Storage& storage, const std::string& directory, const Manifest& manifest) {
  const std::string text = to_json_text(manifest);
  return storage.publish(fmt::format("{}/{}", directory, kManifestName), std::as_bytes(std::span(text)))
      .wrap("write manifest");
}

Result<Manifest> read_manifest_alone(Storage& storage, const std::string& directory) {
  const std::string path = fmt::format("{}/{}", directory, kManifestName);
  CAPSTAN_ASSIGN(const Buffer bytes, storage.read(path));
  if (bytes.text().starts_with(kEncryptedMagic)) {
    return make_error(ErrorCode::kRefused, fmt::format("{} is encrypted: name the checkpoints with "
                                                       "`encrypted:` before the path",
                                                       path));
  }
  auto manifest = manifest_from_json(bytes.text());
  if (!manifest.ok()) return manifest.error().wrap(path);
  return manifest;
}

Status check_files(Storage& storage, const std::string& directory, const Manifest& manifest) {
  std::map<std::string, std::map<std::string, std::uint64_t>> folders;  // of each its files' least lengths
  for (const ShardSection& section : manifest.sections) {
    const std::string path = section_path(directory, section);
    std::uint64_t& length = folders[path.substr(0, path.rfind('/'))][section.file];
    length = std::max(length, section.offset + section.length);
  }
  for (const auto& [folder, files] : folders) {
    auto found = storage.sizes(folder);
    if (!found.ok() && found.error().code != ErrorCode::kNotFound) return found.error();
    for (const auto& [file, length] : files) {
      const bool exists = found.ok() && found->contains(file);
      if (length == 0 || (exists && found->at(file) >= length)) continue;
      return make_error(ErrorCode::kCorrupt, exists
                                                 ? fmt::format("{}/{} is not whole: {} of {} bytes are there",
                                                               folder, file, found->at(file), length)
                                                 : fmt::format("{}/{} is not there", folder, file));
    }
  }
  return ok_status();
}

Result<Manifest> read_manifest(Storage& storage, const std::string& directory) {
  CAPSTAN_ASSIGN(Manifest manifest, read_manifest_alone(storage, directory));
  CAPSTAN_TRY(check_files(storage, directory, manifest));
  return manifest;
}

Status remove_checkpoint(Storage& storage, const std::string& directory) {
  const Status manifest = storage.remove(fmt::format("{}/{}", directory, kManifestName));
  if (!manifest.ok() && manifest.error().code != ErrorCode::kNotFound) return manifest;
  if (manifest.ok()) CAPSTAN_TRY(storage.sync_dir(directory));
  return storage.remove(directory);
}

Result<std::vector<CheckpointName>> list_checkpoints(Storage& storage, const std::string& path) {
  auto names = storage.list(path);
  if (!names.ok() && names.error().code == ErrorCode::kNotFound) return std::vector<CheckpointName>{};
  if (!names.ok()) return names.error().wrap("list checkpoints");
  std::map<std::uint64_t, std::string> found;
  for (const std::string& name : *names) {
    if (!name.starts_with(kFolderStem)) continue;
    std::uint64_t number = 0;
    const char* end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + kFolderStem.size(), end, number);
    if (parsed.ec == std::errc() && parsed.ptr == end) found[number] = fmt::format("{}/{}", path, name);
  }
  std::vector<CheckpointName> checkpoints;
  for (const auto& [number, directory] : found) checkpoints.push_back({number, directory});
  return checkpoints;
}

Result<bool> is_published(Storage& storage, const std::string& directory) {
  return storage.exists(fmt::format("{}/{}", directory, kManifestName));
}

std::string needs_damaged(const Manifest& manifest, const std::string& directory,
                          const std::set<SectionPlace>& damaged) {
  for (const ShardSection& section : manifest.sections) {
    const SectionPlace place{section_path(directory, section), section.offset};
    if (!damaged.contains(place)) continue;
    return fmt::format("{} needs shard {} at byte {} of {}, which is damaged", directory, section.shard,
                       place.offset, place.file);
  }
  return "";
}

Result<FoundCheckpoint> newest_checkpoint(Storage& storage, const std::string& path,
                                          const CheckpointLimits& limits) {
  CAPSTAN_ASSIGN(const std::vector<CheckpointName> names, list_checkpoints(storage, path));
  FoundCheckpoint found;
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    if (name->checkpoint >= limits.below) continue;
    CAPSTAN_ASSIGN(const bool published, is_published(storage, name->directory));
    if (!published) continue;
    auto manifest = read_manifest(storage, name->directory);
    if (!manifest.ok() && is_unreachable(manifest.error())) return manifest.error();
    if (manifest.ok()) {
      const std::string why = needs_damaged(*manifest, name->directory, limits.damaged);
      if (!why.empty()) manifest = make_error(ErrorCode::kCorrupt, why);
    }
    if (manifest.ok() && manifest->generation < limits.generation_min) {
      manifest = make_error(ErrorCode::kStale,
                            fmt::format("{} is of an earlier run (generation {}, this one "
                                        "began with {})",
                                        name->directory, manifest->generation, limits.generation_min));
    }
    if (manifest.ok()) {
      found.directory = name->directory;
      found.manifest = std::move(manifest).value();
      return found;
    }
    found.skipped.push_back(passed_over(name->directory, manifest.error().message));
  }
  std::string text = fmt::format("no checkpoint that verifies in {}", path);
  for (const std::string& why : found.skipped) text += "; " + why;
  if (!found.skipped.empty()) text += fmt::format("; `capstan checkpoint verify {}` names all damage", path);
  return make_error(ErrorCode::kNotFound, text);
}

}  // namespace capstan
