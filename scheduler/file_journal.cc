#include "scheduler/file_journal.h"

#include <algorithm>

#include "common/planted_bugs.h"

namespace capstan {

namespace {

constexpr std::uint64_t kUsedUp = 4096;  // of the room, before more is set aside

}  // namespace

Result<std::vector<JournalRecord>> FileJournal::read(JournalLines lines) {
  const auto bytes = storage_.read(path_);
  if (!bytes.ok() && bytes.error().code == ErrorCode::kNotFound) return std::vector<JournalRecord>{};
  if (!bytes.ok()) return bytes.error().wrap("read journal");
  auto records = parse_journal(bytes->text(), path_, lines);
  if (records.ok()) return records;
  return make_error(records.error().code,
                    records.error().message +
                        "; move the file away, then go on beside servers that still run with --rebuild, or "
                        "from a checkpoint with --resume-from");
}

Status FileJournal::begin(const std::vector<JournalRecord>& records) {
  std::string text;
  for (const JournalRecord& record : records) text += journal_line(record);
  const auto slash = path_.rfind('/');
  if (slash != std::string::npos && slash > 0) CAPSTAN_TRY(storage_.create_dirs(path_.substr(0, slash)));
  CAPSTAN_TRY(storage_.publish(path_, std::as_bytes(std::span(text))).wrap("start journal"));
  CAPSTAN_ASSIGN(file_, storage_.open_append(path_));
  fill_up_room();
  return ok_status();
}

void FileJournal::fill_up_room() {
  has_room_ = file_->reserve(kRoom);
  if (has_room_.ok()) room_ = kRoom;
}

Status FileJournal::append(const JournalRecord& record) {
  if (failed_) return make_error(ErrorCode::kIo, "the journal has failed before");
  const std::string line = journal_line(record);
  Status status = file_->append(std::as_bytes(std::span(line)));
  if (status.ok()) status = file_->sync();
  if (CAPSTAN_PLANTED(kIgnoresFailedSync)) status = ok_status();
  failed_ = !status.ok();
  room_ -= std::min<std::uint64_t>(room_, line.size());
  // Not at each record: to set room aside is work for the file system, too.
  if (!failed_ && room_ + kUsedUp <= kRoom) fill_up_room();
  return std::move(status).wrap("append to journal");
}

}  // namespace capstan
