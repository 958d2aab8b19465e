@0x8d41f6b3c27ae950;
# Replication: a server with the next in a shard's chain, or with a learner; and what it tells the scheduler.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("capstan::wire");
using Table = import "table.capnp";
using Membership = import "membership.capnp";

struct ReplicaRecord {
  shard @0 :UInt32;
  epoch @1 :UInt64;
  position @2 :UInt64;      # counts the shard's records from 1
  kind @3 :UInt8;
  pass @4 :UInt32;
  partition @5 :UInt32;
  term @6 :UInt64;
  sequence @7 :UInt64;
  previous @8 :UInt64;
  nowSeconds @9 :UInt32;
  refused @10 :Bool;
  sections @11 :List(Table.Section);
  evicted @12 :List(UInt64);
  blobBytes @13 :UInt64;
  step @14 :UInt64;
  full @15 :Bool;           # a push that brought no new rows in
}

struct Replicate {          # frames: keys (u64), gradients (f32), blob
  sender @0 :UInt32;
  mapVersion @1 :UInt64;
  records @2 :List(ReplicaRecord);
}

struct ReplicaAck {
  shard @0 :UInt32;
  epoch @1 :UInt64;
  status @2 :UInt8;
  position @3 :UInt64;
}

struct ReplicateReply {
  mapVersion @0 :UInt64;
  acks @1 :List(ReplicaAck);
}

struct ShardChunk {         # frames: bytes
  sender @0 :UInt32;
  mapVersion @1 :UInt64;
  shard @2 :UInt32;
  epoch @3 :UInt64;
  session @4 :UInt64;
  index @5 :UInt32;
  count @6 :UInt32;
  position @7 :UInt64;
  declare @8 :Membership.DeclareTables;
}

struct ShardChunkReply {
  mapVersion @0 :UInt64;
  status @1 :UInt8;
  next @2 :UInt32;
}

struct PromiseRequest {
  sender @0 :UInt32;
  mapVersion @1 :UInt64;
}

struct Promise {
  granted @0 :Bool;
  mapVersion @1 :UInt64;
}

struct ShardAt {
  shard @0 :UInt32;
  epoch @1 :UInt64;
}

struct HandOver {
  shards @0 :List(ShardAt);
}

struct HandedOver {
  nodeId @0 :UInt32;
  shards @1 :List(ShardAt);
}

struct ReadyLearner {
  shard @0 :UInt32;
  epoch @1 :UInt64;
  learner @2 :UInt32;
}

struct LearnersReady {
  nodeId @0 :UInt32;
  shards @1 :List(ReadyLearner);
}
