#include "cli/journal_reader.h"

#include "scheduler/file_journal.h"

namespace capstan {

Result<std::vector<JournalRecord>> read_journal(const JobConfig& job, Storage& storage) {
  return FileJournal(storage, job.work_dir + "/journal").read(JournalLines::kKnown);
}

}  // namespace capstan
