@0xa6c1f0de17d3b902;
# Leases and the shard map: scheduler with servers and workers.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("capstan::wire");

struct Heartbeat {
  nodeId @0 :UInt32;
  incarnation @1 :UInt64;
  sentAt @2 :Int64;         # the sender's clock, microseconds; comes back unchanged
  mapVersion @3 :UInt64;    # the newest the sender knows
  statsJson @4 :Text;       # counters for people and the report
  rows @5 :UInt64;
  bytes @6 :UInt64;
  clock @7 :UInt64;         # a server's highest step in stepped modes
  loads @8 :List(ShardLoad);  # now and then: of the shards that the sender leads
}

struct ShardLoad {
  shard @0 :UInt32;
  rowsPerSecond @1 :Float32;  # pulled and pushed
}

struct HeartbeatReply {
  sentAt @0 :Int64;
  leaseMs @1 :UInt32;       # 0: no lease
  mapVersion @2 :UInt64;
}

struct MapRequest {
  knownVersion @0 :UInt64;
}

struct MapUpdate {
  version @0 :UInt64;       # generation in the upper 32 bits
  numShards @1 :UInt32;
  nodes @2 :List(NodeAddress);
  shards @3 :List(ShardEntry);  # those that changed after the known version
  sketchWidth @4 :UInt32;   # a server's answer: as its tables were declared
}

struct NodeAddress {
  nodeId @0 :UInt32;
  name @1 :Text;
  endpoint @2 :Text;
  memoryLimit @3 :UInt64;   # bytes of rows; 0: none
}

struct ShardEntry {
  shard @0 :UInt32;
  epoch @1 :UInt64;
  chain @2 :List(UInt32);
  learner @3 :UInt32;       # copies the shard from the chain's last member; 0: nobody
}

struct DeclareTables {
  tables @0 :List(TableSpec);
  numSlots @1 :UInt32;      # partitions of a step in stepped modes (bounded, sync), else 0
  combineSteps @2 :Bool;    # sync: one update a step, from the gradients of all slots
  fence @3 :UInt64;         # lower terms are of a former cluster's workers: they get no rows and change none
  sketchWidth @4 :UInt32;   # counters a row of every admission sketch; 0: as many as without a limit
  proofPath @5 :Text;       # a file in the folder of checkpoints, which the server must see; empty: none
  proofText @6 :Text;       # what is in it
}

struct TablesReady {
  error @0 :Text;
  wrote @1 :Text;           # the file in answer to the proof
}

struct TableSpec {
  name @0 :Text;
  dim @1 :UInt32;
  dense @2 :Bool;
  numRows @3 :UInt64;
  initKind @4 :UInt8;
  initScale @5 :Float32;
  fanIn @6 :UInt32;
  fanOut @7 :UInt32;
  initSeed @8 :UInt64;
  zeroFromKey @9 :UInt64;
  minCount @10 :UInt32;
  ttlSeconds @11 :UInt64;
  maxRows @12 :UInt64;
  optimizer @13 :OptimizerSpec;
  dtype @14 :UInt8;
}

struct OptimizerSpec {
  kind @0 :UInt8;
  learningRate @1 :Float32;
  beta1 @2 :Float32;
  beta2 @3 :Float32;
  epsilon @4 :Float32;
  initialAccumulator @5 :Float32;
  ftrlBeta @6 :Float32;
  l1 @7 :Float32;
  l2 @8 :Float32;
  l2Mode @9 :UInt8;
  clipNorm @10 :Float32;
  scheduleKind @11 :UInt8;
  warmupSteps @12 :UInt64;
  decaySteps @13 :UInt64;
  decay @14 :Float32;
  floor @15 :Float32;
}
