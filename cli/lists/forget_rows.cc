#include "cli/lists/forget_rows.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "common/section_chains.h"
#include "ps/section_file.h"
#include "ps/section_format.h"

namespace capstan {
namespace {

Key key_at(const std::byte* record) {
  Key key = 0;
  std::memcpy(&key, record, sizeof(key));
  return key;
}

void take_keys(const FieldColumn& column, std::uint64_t row, std::set<Key>& keys) {
  const auto own = column.row_keys(row);
  keys.insert(own.begin(), own.end());
}

// The keys of one field with the user, and those with anybody else.
void split_keys(const Dataset& data, std::size_t field, std::uint32_t user, std::set<Key>& own,
                std::set<Key>& others) {
  if (data.fields[field].source == FieldSource::kUser) {
    for (std::uint32_t each = 0; each < data.num_users; ++each)
      take_keys(data.user_fields[field], each, each == user ? own : others);
    return;
  }
  for (const Examples* part : {&data.train, &data.valid, &data.test}) {
    if (part->users.empty()) continue;
    for (std::uint64_t row = 0; row < part->size; ++row)
      take_keys(part->fields[field], row, part->user(row) == user ? own : others);
  }
}

// Calls visit(table, record) for every record of these keys; all sections of a chain when `whole` is false.
template <typename Visit>
void each_record(const SectionContent& content, const KeysByTable& keys, const Visit& visit) {
  for (const SectionTable& table : content.tables) {
    const auto wanted = keys.find(table.name);
    if (wanted == keys.end() || table.record_bytes == 0) continue;
    for (std::size_t at = 0; at < table.records.size(); at += table.record_bytes) {
      if (wanted->second.contains(key_at(table.records.data() + at))) visit(table.name);
    }
  }
}

// The section's bytes without the records, and how many records it had and has.
Result<Buffer> without(const Buffer& bytes, std::uint64_t number, const KeysByTable& keys,
                       std::uint64_t& removed) {
  ByteReader in(bytes.bytes());
  CAPSTAN_ASSIGN(const SectionContent content, get_section(in));
  ByteWriter out;
  put_section(out, {content.head.shard, number, 0}, content.state, content.tables.size());
  for (const SectionTable& table : content.tables) {
    const auto wanted = keys.find(table.name);
    std::vector<const std::byte*> kept;
    for (std::size_t at = 0; table.record_bytes > 0 && at < table.records.size(); at += table.record_bytes) {
      const std::byte* const record = table.records.data() + at;
      const bool goes = wanted != keys.end() && wanted->second.contains(key_at(record));
      if (!goes) kept.push_back(record);
      removed += goes;
    }
    const std::span<std::byte> room = put_table(out, table, kept.size() * table.record_bytes);
    for (std::size_t i = 0; i < kept.size(); ++i)
      std::memcpy(room.data() + i * table.record_bytes, kept[i], table.record_bytes);
  }
  return out.take();
}

}  // namespace

KeysByTable keys_of_user_alone(const Dataset& data, const ModelTables& tables, std::uint32_t user) {
  std::set<std::string> of_items;
  for (const FieldInfo& field : data.fields) {
    if (field.source == FieldSource::kItem) of_items.insert(field.table);
  }
  std::map<std::string, std::set<Key>> own, others;  // by FieldInfo::table
  for (std::size_t field = 0; field < data.fields.size(); ++field) {
    const FieldInfo& info = data.fields[field];
    if (info.source == FieldSource::kItem || info.dense || of_items.contains(info.table)) continue;
    split_keys(data, field, user, own[info.table], others[info.table]);
  }
  KeysByTable result;
  for (const ModelTable& table : tables.all()) {
    if (table.spec.dense) continue;
    const std::string& base = tables.key_sets()[table.key_set];
    for (const Key key : own[base]) {
      if (!others[base].contains(key)) result[table.spec.name].insert(key);
    }
  }
  return result;
}

Result<std::map<std::string, std::uint64_t>> count_rows(Storage& storage, const std::string& directory,
                                                        const Manifest& manifest, const KeysByTable& keys) {
  std::map<std::string, std::uint64_t> counts;
  for (const SectionChain chain : chains_of(manifest.sections)) {
    CAPSTAN_ASSIGN(const Buffer bytes, read_chain(storage, directory, chain));
    ByteReader in(bytes.bytes());
    CAPSTAN_ASSIGN(const SectionContent content, get_section(in));
    each_record(content, keys, [&](const std::string& table) { ++counts[table]; });
  }
  return counts;
}

Status rewrite_without(Storage& storage, const std::string& path, const FoundCheckpoint& from,
                       std::uint64_t number, const KeysByTable& keys) {
  const std::string directory = checkpoint_directory(path, number);
  CAPSTAN_TRY(storage.create_dirs(directory));
  constexpr const char* kFile = "forgotten.rows";
  CAPSTAN_ASSIGN(std::unique_ptr<WritableFile> file, storage.create(directory + "/" + kFile));
  Manifest manifest = from.manifest;
  manifest.checkpoint = number;
  manifest.builds_on = 0;
  manifest.sections.clear();
  std::uint64_t offset = 0;
  for (const SectionChain chain : chains_of(from.manifest.sections)) {
    CAPSTAN_ASSIGN(const Buffer bytes, read_chain(storage, from.directory, chain));
    std::uint64_t removed = 0;
    CAPSTAN_ASSIGN(const Buffer rest, without(bytes, number, keys, removed));
    ShardSection section;
    section.shard = chain.back().shard;
    section.offset = offset;
    section.rows = chain.back().rows - removed;
    section.file = kFile;
    CAPSTAN_TRY(append_section(*file, rest.bytes(), section));
    offset += section.length;
    manifest.sections.push_back(std::move(section));
  }
  CAPSTAN_TRY(file->sync());
  CAPSTAN_TRY(file->close());
  CAPSTAN_TRY(storage.sync_dir(directory));
  return write_manifest(storage, directory, manifest);
}

}  // namespace capstan
