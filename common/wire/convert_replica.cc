#include "common/wire/convert.h"

namespace capstan::wire {

void write(ReplicaRecord::Builder to, const capstan::ReplicaRecord& from) {
  to.setShard(from.shard);
  to.setEpoch(from.epoch);
  to.setPosition(from.position);
  to.setKind(static_cast<std::uint8_t>(from.kind));
  to.setPass(from.pass);
  to.setPartition(from.partition);
  to.setTerm(from.term);
  to.setSequence(from.sequence);
  to.setStep(from.step);
  to.setPrevious(from.previous);
  to.setNowSeconds(from.now_seconds);
  to.setRefused(from.refused);
  to.setFull(from.full);
  write_list(to.initSections(size_of(from.sections.size())), from.sections);
  auto evicted = to.initEvicted(size_of(from.evicted.size()));
  for (unsigned i = 0; i < evicted.size(); ++i) evicted.set(i, from.evicted[i]);
  to.setBlobBytes(from.blob_bytes);
}
void read(ReplicaRecord::Reader from, capstan::ReplicaRecord& to) {
  to.shard = from.getShard();
  to.epoch = from.getEpoch();
  to.position = from.getPosition();
  to.kind = checked_enum(from.getKind(), RecordKind::kReplace);
  to.pass = from.getPass();
  to.partition = from.getPartition();
  to.term = from.getTerm();
  to.sequence = from.getSequence();
  to.step = from.getStep();
  to.previous = from.getPrevious();
  to.now_seconds = from.getNowSeconds();
  to.refused = from.getRefused();
  to.full = from.getFull();
  read_list(from.getSections(), to.sections);
  read_values(from.getEvicted(), to.evicted);
  to.blob_bytes = from.getBlobBytes();
}

void write(Replicate::Builder to, const capstan::Replicate& from) {
  to.setSender(from.sender);
  to.setMapVersion(from.map_version);
  write_list(to.initRecords(size_of(from.records.size())), from.records);
}
void read(Replicate::Reader from, capstan::Replicate& to) {
  to.sender = from.getSender();
  to.map_version = from.getMapVersion();
  read_list(from.getRecords(), to.records);
}

void write(ReplicaAck::Builder to, const capstan::ReplicaAck& from) {
  to.setShard(from.shard);
  to.setEpoch(from.epoch);
  to.setStatus(static_cast<std::uint8_t>(from.status));
  to.setPosition(from.position);
}
void read(ReplicaAck::Reader from, capstan::ReplicaAck& to) {
  to.shard = from.getShard();
  to.epoch = from.getEpoch();
  to.status = checked_enum(from.getStatus(), ReplicaStatus::kBusy);
  to.position = from.getPosition();
}

void write(ReplicateReply::Builder to, const capstan::ReplicateReply& from) {
  to.setMapVersion(from.map_version);
  write_list(to.initAcks(size_of(from.acks.size())), from.acks);
}
void read(ReplicateReply::Reader from, capstan::ReplicateReply& to) {
  to.map_version = from.getMapVersion();
  read_list(from.getAcks(), to.acks);
}

void write(ShardChunk::Builder to, const capstan::ShardChunk& from) {
  to.setSender(from.sender);
  to.setMapVersion(from.map_version);
  to.setShard(from.shard);
  to.setEpoch(from.epoch);
  to.setSession(from.session);
  to.setIndex(from.index);
  to.setCount(from.count);
  to.setPosition(from.position);
  write(to.initDeclare(), from.declare);
}
void read(ShardChunk::Reader from, capstan::ShardChunk& to) {
  to.sender = from.getSender();
  to.map_version = from.getMapVersion();
  to.shard = from.getShard();
  to.epoch = from.getEpoch();
  to.session = from.getSession();
  to.index = from.getIndex();
  to.count = from.getCount();
  to.position = from.getPosition();
  read(from.getDeclare(), to.declare);
}

void write(ShardChunkReply::Builder to, const capstan::ShardChunkReply& from) {
  to.setMapVersion(from.map_version);
  to.setStatus(static_cast<std::uint8_t>(from.status));
  to.setNext(from.next);
}
void read(ShardChunkReply::Reader from, capstan::ShardChunkReply& to) {
  to.map_version = from.getMapVersion();
  to.status = checked_enum(from.getStatus(), ReplicaStatus::kBusy);
  to.next = from.getNext();
}

void write(ReadyLearner::Builder to, const capstan::LearnersReady::Entry& from) {
  to.setShard(from.shard);
  to.setEpoch(from.epoch);
  to.setLearner(from.learner);
}
void read(ReadyLearner::Reader from, capstan::LearnersReady::Entry& to) {
  to.shard = from.getShard();
  to.epoch = from.getEpoch();
  to.learner = from.getLearner();
}

void write(LearnersReady::Builder to, const capstan::LearnersReady& from) {
  to.setNodeId(from.node_id);
  write_list(to.initShards(size_of(from.shards.size())), from.shards);
}
void read(LearnersReady::Reader from, capstan::LearnersReady& to) {
  to.node_id = from.getNodeId();
  read_list(from.getShards(), to.shards);
}

void write(PromiseRequest::Builder to, const capstan::PromiseRequest& from) {
  to.setSender(from.sender);
  to.setMapVersion(from.map_version);
}
void read(PromiseRequest::Reader from, capstan::PromiseRequest& to) {
  to.sender = from.getSender();
  to.map_version = from.getMapVersion();
}

void write(Promise::Builder to, const capstan::Promise& from) {
  to.setGranted(from.granted);
  to.setMapVersion(from.map_version);
}
void read(Promise::Reader from, capstan::Promise& to) {
  to.granted = from.getGranted();
  to.map_version = from.getMapVersion();
}

void write(ShardAt::Builder to, const capstan::ShardAt& from) {
  to.setShard(from.shard);
  to.setEpoch(from.epoch);
}
void read(ShardAt::Reader from, capstan::ShardAt& to) {
  to.shard = from.getShard();
  to.epoch = from.getEpoch();
}

void write(HandOver::Builder to, const capstan::HandOver& from) {
  write_list(to.initShards(size_of(from.shards.size())), from.shards);
}
void read(HandOver::Reader from, capstan::HandOver& to) {
  read_list(from.getShards(), to.shards);
}

void write(HandedOver::Builder to, const capstan::HandedOver& from) {
  to.setNodeId(from.node_id);
  write_list(to.initShards(size_of(from.shards.size())), from.shards);
}
void read(HandedOver::Reader from, capstan::HandedOver& to) {
  to.node_id = from.getNodeId();
  read_list(from.getShards(), to.shards);
}

}  // namespace capstan::wire
