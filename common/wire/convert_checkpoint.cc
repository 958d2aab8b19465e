#include "common/wire/convert.h"

namespace capstan::wire {

void write(Snapshot::Builder to, const capstan::Snapshot& from) {
  to.setCheckpoint(from.checkpoint);
  to.setDirectory(from.directory);
  to.setPass(from.pass);
  to.setAfterStep(from.after_step);
  to.setForgetBelowPass(from.forget_below_pass);
  to.setMapVersion(from.map_version);
  to.setBase(from.base);
  to.setForgetDirectBelow(from.forget_direct_below);
}
void read(Snapshot::Reader from, capstan::Snapshot& to) {
  to.checkpoint = from.getCheckpoint();
  to.directory = to_string(from.getDirectory());
  to.pass = from.getPass();
  to.after_step = from.getAfterStep();
  to.forget_below_pass = from.getForgetBelowPass();
  to.map_version = from.getMapVersion();
  to.base = from.getBase();
  to.forget_direct_below = from.getForgetDirectBelow();
}

void write(ShardSection::Builder to, const capstan::ShardSection& from) {
  to.setShard(from.shard);
  to.setOffset(from.offset);
  to.setLength(from.length);
  to.setChecksum(from.checksum);
  to.setRows(from.rows);
  to.setFile(from.file);
  to.setFolder(from.folder);
  to.setBase(from.base);
}
void read(ShardSection::Reader from, capstan::ShardSection& to) {
  to.shard = from.getShard();
  to.offset = from.getOffset();
  to.length = from.getLength();
  to.checksum = from.getChecksum();
  to.rows = from.getRows();
  to.file = to_string(from.getFile());
  to.folder = to_string(from.getFolder());
  to.base = from.getBase();
}

void write(SnapshotReply::Builder to, const capstan::SnapshotReply& from) {
  to.setCheckpoint(from.checkpoint);
  to.setFile(from.file);
  write_list(to.initSections(size_of(from.sections.size())), from.sections);
  to.setError(from.error);
  to.setTooLate(from.too_late);
  to.setNoSpace(from.no_space);
}
void read(SnapshotReply::Reader from, capstan::SnapshotReply& to) {
  to.checkpoint = from.getCheckpoint();
  to.file = to_string(from.getFile());
  read_list(from.getSections(), to.sections);
  to.error = to_string(from.getError());
  to.too_late = from.getTooLate();
  to.no_space = from.getNoSpace();
}

void write(Restore::Builder to, const capstan::Restore& from) {
  to.setDirectory(from.directory);
  write_list(to.initSections(size_of(from.sections.size())), from.sections);
}
void read(Restore::Reader from, capstan::Restore& to) {
  to.directory = to_string(from.getDirectory());
  read_list(from.getSections(), to.sections);
}

void write(RestoreReply::Builder to, const capstan::RestoreReply& from) {
  to.setRows(from.rows);
  to.setError(from.error);
  to.setDamaged(from.damaged);
  to.setDamagedFile(from.damaged_file);
  to.setDamagedOffset(from.damaged_offset);
}
void read(RestoreReply::Reader from, capstan::RestoreReply& to) {
  to.rows = from.getRows();
  to.error = to_string(from.getError());
  to.damaged = from.getDamaged();
  to.damaged_file = to_string(from.getDamagedFile());
  to.damaged_offset = from.getDamagedOffset();
}

}  // namespace capstan::wire
