#include "common/direct_stream.h"
#include "common/wire/convert.h"

namespace capstan::wire {

void write(EvaluatePart::Builder to, const capstan::EvaluatePart& from) {
  to.setName(from.name);
  to.setPartitions(from.partitions);
}
void read(EvaluatePart::Reader from, capstan::EvaluatePart& to) {
  to.name = to_string(from.getName());
  to.partitions = from.getPartitions();
}

void write(DataCounts::Builder to, const capstan::DataCounts& from) {
  to.setValid(from.valid);
  to.setTest(from.test);
  to.setUsers(from.users);
  to.setItems(from.items);
}
void read(DataCounts::Reader from, capstan::DataCounts& to) {
  to.valid = from.getValid();
  to.test = from.getTest();
  to.users = from.getUsers();
  to.items = from.getItems();
}

void write(WorkerReady::Builder to, const capstan::WorkerReady& from) {
  to.setNodeId(from.node_id);
  to.setDataFingerprint(from.data_fingerprint);
  write_list(to.initTables(size_of(from.tables.size())), from.tables);
  to.setTrainExamples(from.train_examples);
  write_list(to.initEvaluateParts(size_of(from.evaluate_parts.size())), from.evaluate_parts);
  to.setSummary(from.summary);
  to.setError(from.error);
  write(to.initCounts(), from.counts);
}
void read(WorkerReady::Reader from, capstan::WorkerReady& to) {
  to.node_id = from.getNodeId();
  to.data_fingerprint = from.getDataFingerprint();
  read_list(from.getTables(), to.tables);
  to.train_examples = from.getTrainExamples();
  read_list(from.getEvaluateParts(), to.evaluate_parts);
  to.summary = to_string(from.getSummary());
  to.error = to_string(from.getError());
  read(from.getCounts(), to.counts);
}

void write(WorkId::Builder to, const capstan::WorkId& from) {
  to.setKind(from.kind);
  to.setPass(from.pass);
  to.setPartition(from.partition);
  to.setName(from.name);
}
void read(WorkId::Reader from, capstan::WorkId& to) {
  to.kind = checked_enum(from.getKind(), kDirectWork);
  to.pass = from.getPass();
  to.partition = from.getPartition();
  to.name = to_string(from.getName());
}

void write(WorkRequest::Builder to, const capstan::WorkRequest& from) {
  to.setNodeId(from.node_id);
  to.setIncarnation(from.incarnation);
  to.setHeld(from.held);
  to.setDirect(from.direct);
}
void read(WorkRequest::Reader from, capstan::WorkRequest& to) {
  to.node_id = from.getNodeId();
  to.incarnation = from.getIncarnation();
  to.held = from.getHeld();
  to.direct = from.getDirect();
}

void write(WorkGrant::Builder to, const capstan::WorkGrant& from) {
  write(to.initWork(), from.work);
  to.setNumPartitions(from.num_partitions);
  to.setTerm(from.term);
  to.setFirstBatch(from.first_batch);
  to.setSteps(from.steps);
  to.setEndBatch(from.end_batch);
}
void read(WorkGrant::Reader from, capstan::WorkGrant& to) {
  read(from.getWork(), to.work);
  to.num_partitions = from.getNumPartitions();
  to.term = from.getTerm();
  to.first_batch = from.getFirstBatch();
  to.steps = from.getSteps();
  to.end_batch = from.getEndBatch();
}

void write(NoWork::Builder to, const capstan::NoWork& from) {
  to.setWaitMs(from.wait_ms);
  to.setState(from.state);
}
void read(NoWork::Reader from, capstan::NoWork& to) {
  to.wait_ms = from.getWaitMs();
  to.state = to_string(from.getState());
}

void write(WorkCursor::Builder to, const capstan::WorkCursor& from) {
  write(to.initWork(), from.work);
  to.setTerm(from.term);
  to.setWatermark(from.watermark);
  to.setExamples(from.examples);
  to.setLossSum(from.loss_sum);
  to.setBatches(from.batches);
  to.setBadBatches(from.bad_batches);
  to.setSlices(from.slices);
  to.setEnd(from.end);
}
void read(WorkCursor::Reader from, capstan::WorkCursor& to) {
  read(from.getWork(), to.work);
  to.term = from.getTerm();
  to.watermark = from.getWatermark();
  to.examples = from.getExamples();
  to.loss_sum = from.getLossSum();
  to.batches = from.getBatches();
  to.bad_batches = from.getBadBatches();
  to.slices = from.getSlices();
  to.end = from.getEnd();
}

void write(WorkProgress::Builder to, const capstan::WorkProgress& from) {
  to.setNodeId(from.node_id);
  write_list(to.initCursors(size_of(from.cursors.size())), from.cursors);
}
void read(WorkProgress::Reader from, capstan::WorkProgress& to) {
  to.node_id = from.getNodeId();
  read_list(from.getCursors(), to.cursors);
}

void write(EndWish::Builder to, const capstan::EndWish& from) {
  to.setCursor(from.cursor);
  to.setEnd(from.end);
}
void read(EndWish::Reader from, capstan::EndWish& to) {
  to.cursor = from.getCursor();
  to.end = from.getEnd();
}

void write(WorkProgressReply::Builder to, const capstan::WorkProgressReply& from) {
  auto revoked = to.initRevoked(size_of(from.revoked.size()));
  for (unsigned i = 0; i < revoked.size(); ++i) revoked.set(i, from.revoked[i]);
  to.setSteps(from.steps);
  write_list(to.initWishes(size_of(from.wishes.size())), from.wishes);
}
void read(WorkProgressReply::Reader from, capstan::WorkProgressReply& to) {
  read_values(from.getRevoked(), to.revoked);
  to.steps = from.getSteps();
  read_list(from.getWishes(), to.wishes);
}

void write(WorkDone::Builder to, const capstan::WorkDone& from) {
  to.setNodeId(from.node_id);
  write(to.initCursor(), from.cursor);
  to.setError(from.error);
}
void read(WorkDone::Reader from, capstan::WorkDone& to) {
  to.node_id = from.getNodeId();
  read(from.getCursor(), to.cursor);
  to.error = to_string(from.getError());
}

void write(WorkDoneReply::Builder to, const capstan::WorkDoneReply& from) {
  to.setAccepted(from.accepted);
}
void read(WorkDoneReply::Reader from, capstan::WorkDoneReply& to) {
  to.accepted = from.getAccepted();
}

}  // namespace capstan::wire
