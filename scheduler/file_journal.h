// FileJournal: the journal as one file, fsynced at each record.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/storage.h"
#include "scheduler/journal.h"

namespace capstan {

// With room set aside for records to come: a disk that gets full does not stop a scheduler.
class FileJournal final : public Journal {
 public:
  static constexpr std::uint64_t kRoom = 1ULL << 20;  // some thousand records

  FileJournal(Storage& storage, std::string path) : storage_(storage), path_(std::move(path)) {}

  // None when there is no file.
  Result<std::vector<JournalRecord>> read(JournalLines lines) override;
  // By one atomic rename.
  Status begin(const std::vector<JournalRecord>& records) override;
  Status append(const JournalRecord& record) override;
  std::string place() const override { return path_; }
  std::string engine() const override { return "the disk"; }
  Status has_room() const override { return has_room_; }
  std::uint64_t room() const override { return room_; }

 private:
  void fill_up_room();

  Storage& storage_;
  std::string path_;
  std::unique_ptr<WritableFile> file_;
  std::uint64_t room_ = 0;
  Status has_room_ = ok_status();
  bool failed_ = false;
};

}  // namespace capstan
