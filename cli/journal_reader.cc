#include "cli/journal_reader.h"

#include "common/adapters/etcd_store.h"
#include "common/log.h"
#include "scheduler/etcd_journal.h"
#include "scheduler/file_journal.h"

namespace capstan {

Result<std::vector<JournalRecord>> read_journal(const JobConfig& job, Storage& storage) {
  if (job.scheduler.store == SchedulerStore::kFile) {
    return FileJournal(storage, job.work_dir + "/journal").read(JournalLines::kKnown);
  }
  EtcdStore store(job.scheduler.endpoints);
  const Log silent = Log::silent();
  EtcdJournalOptions options;
  options.root = EtcdJournal::root_of(job.name);
  return EtcdJournal(store, nullptr, silent, std::move(options)).read(JournalLines::kKnown);
}

}  // namespace capstan
