#include "scheduler/journal.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>

#include "common/hash.h"

namespace capstan {

namespace {

constexpr std::size_t kHashDigits = 16;
constexpr std::uint64_t kUsedUp = 4096;  // of the room, before more is set aside

std::string line_of(const JournalRecord& record) {
  const std::string text = to_json_text(record);
  return fmt::format("{:016x} {}\n", hash_string(text), text);
}

// The record's text. kCorrupt when the line is damaged.
Result<std::string_view> text_of(std::string_view line) {
  const auto bad = [](std::string_view why) { return make_error(ErrorCode::kCorrupt, std::string(why)); };
  if (line.size() < kHashDigits + 2 || line[kHashDigits] != ' ') return bad("no checksum");
  std::uint64_t hash = 0;
  const char* end = line.data() + kHashDigits;
  const auto parsed = std::from_chars(line.data(), end, hash, 16);
  if (parsed.ec != std::errc() || parsed.ptr != end) return bad("no checksum");
  const std::string_view text = line.substr(kHashDigits + 1);
  if (hash_string(text) != hash) return bad("the checksum does not match");
  return text;
}

}  // namespace

std::uint32_t newest_run(const std::vector<JournalRecord>& records) {
  std::uint32_t run = 0;
  for (const JournalRecord& record : records) {
    if (const auto* begun = std::get_if<RunBegun>(&record)) run = std::max(run, begun->generation);
  }
  return run;
}

Result<std::vector<JournalRecord>> Journal::read(Storage& storage, const std::string& path,
                                                 JournalLines lines) {
  auto bytes = storage.read(path);
  if (!bytes.ok() && bytes.error().code == ErrorCode::kNotFound) return std::vector<JournalRecord>{};
  if (!bytes.ok()) return bytes.error().wrap("read journal");
  std::vector<JournalRecord> records;
  std::string_view rest = bytes->text();
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    const bool last = end == std::string_view::npos || end + 1 == rest.size();
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    const auto text = end == std::string_view::npos
                          ? Result<std::string_view>(make_error(ErrorCode::kCorrupt, "the line is torn"))
                          : text_of(line);
    auto record = text.ok() ? record_from_json(*text) : Result<JournalRecord>(text.error());
    const bool passed_over = lines == JournalLines::kKnown && text.ok();
    if (record.ok()) {
      records.push_back(std::move(record).value());
    } else if (!last && !passed_over) {
      return make_error(ErrorCode::kCorrupt,
                        fmt::format("{}:{}: {}; go on from a checkpoint with --resume-from, or move the "
                                    "file away to begin anew",
                                    path, number, record.error().message));
    }
  }
  return records;
}

Result<std::unique_ptr<Journal>> Journal::start(Storage& storage, const std::string& path,
                                                const std::vector<JournalRecord>& records) {
  std::string text;
  for (const JournalRecord& record : records) text += line_of(record);
  const auto slash = path.rfind('/');
  if (slash != std::string::npos && slash > 0) CAPSTAN_TRY(storage.create_dirs(path.substr(0, slash)));
  CAPSTAN_TRY(storage.publish(path, std::as_bytes(std::span(text))).wrap("start journal"));
  CAPSTAN_ASSIGN(auto file, storage.open_append(path));
  std::unique_ptr<Journal> journal(new Journal(std::move(file)));
  journal->fill_up_room();
  return journal;
}

void Journal::fill_up_room() {
  has_room_ = file_->reserve(kRoom);
  if (has_room_.ok()) room_ = kRoom;
}

Status Journal::append(const JournalRecord& record) {
  if (failed_) return make_error(ErrorCode::kIo, "the journal has failed before");
  const std::string line = line_of(record);
  Status status = file_->append(std::as_bytes(std::span(line)));
  if (status.ok()) status = file_->sync();
  failed_ = !status.ok();
  room_ -= std::min<std::uint64_t>(room_, line.size());
  // Not at each record: to set room aside is work for the file system, too.
  if (!failed_ && room_ + kUsedUp <= kRoom) fill_up_room();
  return std::move(status).wrap("append to journal");
}

}  // namespace capstan
