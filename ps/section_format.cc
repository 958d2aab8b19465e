#include "ps/section_format.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/hash.h"

namespace capstan {
namespace {

constexpr std::uint32_t kSectionMagic = 0x34504143;  // "CAP4"

Error corrupt(std::string what) {
  return make_error(ErrorCode::kCorrupt, std::move(what));
}

Key key_at(const std::byte* at) {
  Key key = 0;
  std::memcpy(&key, at, sizeof(Key));
  return key;
}

template <typename Visit>
void each_part(std::span<const std::byte> parts, std::size_t size, const Visit& visit) {
  for (std::size_t at = 0; at < parts.size(); at += size) visit(parts.data() + at);
}

Result<SectionTable> get_table(ByteReader& in) {
  SectionTable table;
  table.name = in.get_string();
  table.record_bytes = in.get<std::uint32_t>();
  table.removed = in.get_bytes();
  table.state = in.get_bytes();
  table.records = in.get_bytes();
  if (in.failed()) return in.finish().error();
  if (table.record_bytes < sizeof(Key) || table.records.size() % table.record_bytes != 0 ||
      table.removed.size() % sizeof(Key) != 0) {
    return corrupt("table " + table.name + ": its rows are of another size");
  }
  return table;
}

const SectionTable* find_table(const SectionContent& content, const std::string& name) {
  const auto found = std::find_if(content.tables.begin(), content.tables.end(),
                                  [&](const SectionTable& table) { return table.name == name; });
  return found == content.tables.end() ? nullptr : &*found;
}

// How the records that any change speaks of end up: the newest one, or nullptr where it was removed.
using Newest = std::unordered_map<Key, const std::byte*>;

void note_changes(const SectionTable& table, Newest& newest) {
  each_part(table.removed, sizeof(Key), [&](const std::byte* at) { newest[key_at(at)] = nullptr; });
  each_part(table.records, table.record_bytes, [&](const std::byte* at) { newest[key_at(at)] = at; });
}

// A record that was there keeps its place, new ones follow in the order in which they came.
std::vector<const std::byte*> merged_records(std::span<const SectionTable* const> versions) {
  Newest newest;
  for (const SectionTable* table : versions.subspan(1)) {
    if (table != nullptr) note_changes(*table, newest);
  }
  std::vector<const std::byte*> merged;
  const auto take = [&](const std::byte* at) {
    if (at != nullptr) merged.push_back(at);
  };
  if (versions[0] != nullptr) {
    each_part(versions[0]->records, versions[0]->record_bytes, [&](const std::byte* at) {
      const auto changed = newest.find(key_at(at));
      take(changed == newest.end() ? at : std::exchange(changed->second, nullptr));
    });
  }
  for (const SectionTable* table : versions.subspan(1)) {
    if (table == nullptr) continue;
    each_part(table->records, table->record_bytes, [&](const std::byte* at) {
      const auto latest = newest.find(key_at(at));
      if (latest->second == at) take(std::exchange(latest->second, nullptr));
    });
  }
  return merged;
}

Status merge_table(ByteWriter& out, const std::vector<SectionContent>& links, const SectionTable& last) {
  std::vector<const SectionTable*> versions;
  for (const SectionContent& link : links) {
    versions.push_back(find_table(link, last.name));
    if (versions.back() != nullptr && versions.back()->record_bytes != last.record_bytes) {
      return corrupt("table " + last.name + ": its rows change their size within a chain");
    }
  }
  const std::vector<const std::byte*> records = merged_records(versions);
  SectionTable whole = last;
  whole.removed = {};
  std::byte* to = put_table(out, whole, records.size() * last.record_bytes).data();
  for (const std::byte* record : records) {
    std::memcpy(to, record, last.record_bytes);
    to += last.record_bytes;
  }
  return ok_status();
}

}  // namespace

void put_section(ByteWriter& out, const SectionHead& head, std::span<const std::byte> state,
                 std::size_t tables) {
  out.put(kSectionMagic);
  out.put(head.shard);
  out.put(head.checkpoint);
  out.put(head.base);
  out.put_bytes(state);
  out.put(static_cast<std::uint32_t>(tables));
}

std::span<std::byte> put_table(ByteWriter& out, const SectionTable& table, std::size_t records_bytes) {
  out.put_string(table.name);
  out.put(table.record_bytes);
  out.put_bytes(table.removed);
  out.put_bytes(table.state);
  out.put(static_cast<std::uint64_t>(records_bytes));
  return out.extend(records_bytes);
}

void sort_records(std::span<std::byte> records, std::size_t record_bytes) {
  std::map<Key, std::vector<std::byte>> sorted;
  each_part(records, record_bytes,
            [&](const std::byte* at) { sorted[key_at(at)].assign(at, at + record_bytes); });
  std::byte* to = records.data();
  for (const auto& [key, record] : sorted) to = std::copy(record.begin(), record.end(), to);
}

Result<SectionContent> get_section(ByteReader& in) {
  if (in.get<std::uint32_t>() != kSectionMagic) return corrupt("not a shard's section");
  SectionContent content;
  content.head.shard = in.get<std::uint32_t>();
  content.head.checkpoint = in.get<std::uint64_t>();
  content.head.base = in.get<std::uint64_t>();
  content.state = in.get_bytes();
  const auto count = in.get<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && !in.failed(); ++i) {
    CAPSTAN_ASSIGN(SectionTable table, get_table(in));
    content.tables.push_back(std::move(table));
  }
  if (in.failed()) return in.finish().error();
  return content;
}

Result<Buffer> merge_sections(std::span<const Buffer> chain) {
  std::vector<SectionContent> links;
  std::size_t bytes = 0;
  for (const Buffer& each : chain) {
    ByteReader in(each.bytes());
    CAPSTAN_ASSIGN(SectionContent link, get_section(in));
    CAPSTAN_TRY(in.finish());
    const SectionHead before = links.empty() ? SectionHead{link.head.shard, 0, 0} : links.back().head;
    if (link.head.shard != before.shard) return corrupt("the sections are of different shards");
    if (link.head.base != before.checkpoint || (!links.empty() && link.head.base == 0)) {
      return corrupt(fmt::format("a section goes on from checkpoint {}, and stands behind one of {}",
                                 link.head.base, before.checkpoint));
    }
    links.push_back(std::move(link));
    bytes += each.size();
  }
  if (links.empty()) return corrupt("no section");
  if (links.size() == 1) return chain[0];
  const SectionContent& last = links.back();
  ByteWriter out;
  out.reserve(bytes);
  put_section(out, {last.head.shard, last.head.checkpoint, 0}, last.state, last.tables.size());
  for (const SectionTable& table : last.tables) CAPSTAN_TRY(merge_table(out, links, table));
  return out.take();
}

}  // namespace capstan
