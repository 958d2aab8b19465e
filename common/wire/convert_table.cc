#include "common/wire/convert.h"

namespace capstan::wire {

void write(Section::Builder to, const capstan::Section& from) {
  to.setTable(from.table);
  to.setCount(from.count);
}
void read(Section::Reader from, capstan::Section& to) {
  to.table = from.getTable();
  to.count = from.getCount();
}

void write(PullSlice::Builder to, const capstan::PullSlice& from) {
  to.setShard(from.shard);
  write_list(to.initSections(size_of(from.sections.size())), from.sections);
}
void read(PullSlice::Reader from, capstan::PullSlice& to) {
  to.shard = from.getShard();
  read_list(from.getSections(), to.sections);
}

void write(Pull::Builder to, const capstan::Pull& from) {
  to.setMapVersion(from.map_version);
  to.setPass(from.pass);
  to.setNeedsClock(from.needs_clock);
  to.setTerm(from.term);
  to.setOfCopies(from.of_copies);
  to.setStream(from.stream);
  to.setBatch(from.batch);
  write_list(to.initSlices(size_of(from.slices.size())), from.slices);
}
void read(Pull::Reader from, capstan::Pull& to) {
  to.map_version = from.getMapVersion();
  to.pass = from.getPass();
  to.needs_clock = from.getNeedsClock();
  to.term = from.getTerm();
  to.of_copies = from.getOfCopies();
  to.stream = from.getStream();
  to.batch = from.getBatch();
  read_list(from.getSlices(), to.slices);
}

void write(SliceResult::Builder to, const capstan::SliceResult& from) {
  to.setShard(from.shard);
  to.setStatus(static_cast<std::uint8_t>(from.status));
  to.setVersion(from.version);
}
void read(SliceResult::Reader from, capstan::SliceResult& to) {
  to.shard = from.getShard();
  to.status = checked_enum(from.getStatus(), SliceStatus::kBusy);
  to.version = from.getVersion();
}

void write(PullReply::Builder to, const capstan::PullReply& from) {
  to.setMapVersion(from.map_version);
  write_list(to.initSlices(size_of(from.slices.size())), from.slices);
}
void read(PullReply::Reader from, capstan::PullReply& to) {
  to.map_version = from.getMapVersion();
  read_list(from.getSlices(), to.slices);
}

void write(PushSlice::Builder to, const capstan::PushSlice& from) {
  to.setShard(from.shard);
  to.setPrevious(from.previous);
  to.setPulledVersion(from.pulled_version);
  write_list(to.initSections(size_of(from.sections.size())), from.sections);
}
void read(PushSlice::Reader from, capstan::PushSlice& to) {
  to.shard = from.getShard();
  to.previous = from.getPrevious();
  to.pulled_version = from.getPulledVersion();
  read_list(from.getSections(), to.sections);
}

void write(Push::Builder to, const capstan::Push& from) {
  to.setMapVersion(from.map_version);
  to.setPass(from.pass);
  to.setPartition(from.partition);
  to.setTerm(from.term);
  to.setSequence(from.sequence);
  to.setStep(from.step);
  write_list(to.initSlices(size_of(from.slices.size())), from.slices);
}
void read(Push::Reader from, capstan::Push& to) {
  to.map_version = from.getMapVersion();
  to.pass = from.getPass();
  to.partition = from.getPartition();
  to.term = from.getTerm();
  to.sequence = from.getSequence();
  to.step = from.getStep();
  read_list(from.getSlices(), to.slices);
}

void write(PushReply::Builder to, const capstan::PushReply& from) {
  to.setMapVersion(from.map_version);
  write_list(to.initSlices(size_of(from.slices.size())), from.slices);
}
void read(PushReply::Reader from, capstan::PushReply& to) {
  to.map_version = from.getMapVersion();
  read_list(from.getSlices(), to.slices);
}

void write(GetRows::Builder to, const capstan::GetRows& from) {
  to.setTable(from.table);
}
void read(GetRows::Reader from, capstan::GetRows& to) {
  to.table = to_string(from.getTable());
}

void write(GetRowsReply::Builder to, const capstan::GetRowsReply& from) {
  auto found = to.initFound(size_of(from.found.size()));
  for (unsigned i = 0; i < found.size(); ++i) found.set(i, from.found[i]);
  to.setRowBytes(from.row_bytes);
  to.setOwner(from.owner);
  to.setError(from.error);
}
void read(GetRowsReply::Reader from, capstan::GetRowsReply& to) {
  read_values(from.getFound(), to.found);
  to.row_bytes = from.getRowBytes();
  to.owner = to_string(from.getOwner());
  to.error = to_string(from.getError());
}

}  // namespace capstan::wire
