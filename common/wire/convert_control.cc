#include "common/wire/convert.h"

namespace capstan::wire {

void write(StatusRequest::Builder, const capstan::StatusRequest&) {}
void read(StatusRequest::Reader, capstan::StatusRequest&) {}

void write(StatusReply::Builder to, const capstan::StatusReply& from) {
  to.setJson(from.json);
}
void read(StatusReply::Reader from, capstan::StatusReply& to) {
  to.json = to_string(from.getJson());
}

void write(TablesRequest::Builder, const capstan::TablesRequest&) {}
void read(TablesRequest::Reader, capstan::TablesRequest&) {}

void write(TablesReply::Builder to, const capstan::TablesReply& from) {
  write_list(to.initTables(size_of(from.tables.size())), from.tables);
}
void read(TablesReply::Reader from, capstan::TablesReply& to) {
  read_list(from.getTables(), to.tables);
}

void write(StopJob::Builder to, const capstan::StopJob& from) {
  to.setReason(from.reason);
  to.setCheckpoint(from.checkpoint);
}
void read(StopJob::Reader from, capstan::StopJob& to) {
  to.reason = to_string(from.getReason());
  to.checkpoint = from.getCheckpoint();
}

void write(JobEnded::Builder to, const capstan::JobEnded& from) {
  to.setOk(from.ok);
  to.setText(from.text);
}
void read(JobEnded::Reader from, capstan::JobEnded& to) {
  to.ok = from.getOk();
  to.text = to_string(from.getText());
}

void write(ChangeServers::Builder to, const capstan::ChangeServers& from) {
  to.setDrain(from.drain);
  to.setAdd(from.add);
  to.setDryRun(from.dry_run);
}
void read(ChangeServers::Reader from, capstan::ChangeServers& to) {
  to.drain = to_string(from.getDrain());
  to.add = from.getAdd();
  to.dry_run = from.getDryRun();
}

void write(ChangeServersReply::Builder to, const capstan::ChangeServersReply& from) {
  to.setError(from.error);
  to.setJson(from.json);
}
void read(ChangeServersReply::Reader from, capstan::ChangeServersReply& to) {
  to.error = to_string(from.getError());
  to.json = to_string(from.getJson());
}

}  // namespace capstan::wire
