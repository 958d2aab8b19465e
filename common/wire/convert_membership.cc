#include "common/wire/convert.h"

namespace capstan::wire {

void write(ShardLoad::Builder to, const capstan::ShardLoad& from) {
  to.setShard(from.shard);
  to.setRowsPerSecond(from.rows_per_second);
}
void read(ShardLoad::Reader from, capstan::ShardLoad& to) {
  to.shard = from.getShard();
  to.rows_per_second = from.getRowsPerSecond();
}

void write(Heartbeat::Builder to, const capstan::Heartbeat& from) {
  to.setNodeId(from.node_id);
  to.setIncarnation(from.incarnation);
  to.setSentAt(from.sent_at);
  to.setMapVersion(from.map_version);
  to.setStatsJson(from.stats_json);
  to.setRows(from.rows);
  to.setBytes(from.bytes);
  to.setClock(from.clock);
  write_list(to.initLoads(size_of(from.loads.size())), from.loads);
}
void read(Heartbeat::Reader from, capstan::Heartbeat& to) {
  to.node_id = from.getNodeId();
  to.incarnation = from.getIncarnation();
  to.sent_at = from.getSentAt();
  to.map_version = from.getMapVersion();
  to.stats_json = to_string(from.getStatsJson());
  to.rows = from.getRows();
  to.bytes = from.getBytes();
  to.clock = from.getClock();
  read_list(from.getLoads(), to.loads);
}

void write(HeartbeatReply::Builder to, const capstan::HeartbeatReply& from) {
  to.setSentAt(from.sent_at);
  to.setLeaseMs(from.lease_ms);
  to.setMapVersion(from.map_version);
}
void read(HeartbeatReply::Reader from, capstan::HeartbeatReply& to) {
  to.sent_at = from.getSentAt();
  to.lease_ms = from.getLeaseMs();
  to.map_version = from.getMapVersion();
}

void write(MapRequest::Builder to, const capstan::MapRequest& from) {
  to.setKnownVersion(from.known_version);
}
void read(MapRequest::Reader from, capstan::MapRequest& to) {
  to.known_version = from.getKnownVersion();
}

void write(NodeAddress::Builder to, const capstan::NodeAddress& from) {
  to.setNodeId(from.node_id);
  to.setName(from.name);
  to.setEndpoint(from.endpoint);
  to.setMemoryLimit(from.memory_limit);
}
void read(NodeAddress::Reader from, capstan::NodeAddress& to) {
  to.node_id = from.getNodeId();
  to.name = to_string(from.getName());
  to.endpoint = to_string(from.getEndpoint());
  to.memory_limit = from.getMemoryLimit();
}

void write(ShardEntry::Builder to, const capstan::ShardEntry& from) {
  to.setShard(from.shard);
  to.setEpoch(from.epoch);
  auto chain = to.initChain(size_of(from.chain.size()));
  for (unsigned i = 0; i < chain.size(); ++i) chain.set(i, from.chain[i]);
  to.setLearner(from.learner);
}
void read(ShardEntry::Reader from, capstan::ShardEntry& to) {
  to.shard = from.getShard();
  to.epoch = from.getEpoch();
  read_values(from.getChain(), to.chain);
  to.learner = from.getLearner();
}

void write(MapUpdate::Builder to, const capstan::MapUpdate& from) {
  to.setVersion(from.version);
  to.setNumShards(from.num_shards);
  write_list(to.initNodes(size_of(from.nodes.size())), from.nodes);
  write_list(to.initShards(size_of(from.shards.size())), from.shards);
  to.setSketchWidth(from.sketch_width);
}
void read(MapUpdate::Reader from, capstan::MapUpdate& to) {
  to.version = from.getVersion();
  to.num_shards = from.getNumShards();
  read_list(from.getNodes(), to.nodes);
  read_list(from.getShards(), to.shards);
  to.sketch_width = from.getSketchWidth();
}

void write(DeclareTables::Builder to, const capstan::DeclareTables& from) {
  write_list(to.initTables(size_of(from.tables.size())), from.tables);
  to.setNumSlots(from.num_slots);
  to.setCombineSteps(from.combine_steps);
  to.setFence(from.fence);
  to.setSketchWidth(from.sketch_width);
  to.setProofPath(from.proof_path);
  to.setProofText(from.proof_text);
}
void read(DeclareTables::Reader from, capstan::DeclareTables& to) {
  read_list(from.getTables(), to.tables);
  to.num_slots = from.getNumSlots();
  to.combine_steps = from.getCombineSteps();
  to.fence = from.getFence();
  to.sketch_width = from.getSketchWidth();
  to.proof_path = to_string(from.getProofPath());
  to.proof_text = to_string(from.getProofText());
}

void write(TablesReady::Builder to, const capstan::TablesReady& from) {
  to.setError(from.error);
  to.setWrote(from.wrote);
}
void read(TablesReady::Reader from, capstan::TablesReady& to) {
  to.error = to_string(from.getError());
  to.wrote = to_string(from.getWrote());
}

}  // namespace capstan::wire
