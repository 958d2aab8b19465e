@0xc5e1d8f3a9076be5;
# Cuts: the scheduler with servers.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("capstan::wire");

struct Snapshot {
  checkpoint @0 :UInt64;
  directory @1 :Text;
  pass @2 :UInt32;          # sync: each shard waits until it has applied this step of this pass
  afterStep @3 :UInt64;     # sequence; 0: at once
  forgetBelowPass @4 :UInt32;  # streams of earlier passes are finished in a published cut
  mapVersion @5 :UInt64;       # the server answers once it knows this map
  base @6 :UInt64;             # the checkpoint that sections may go on from; 0: none
  forgetDirectBelow @7 :UInt64;  # direct streams of lower terms are closed
}

struct ShardSection {
  shard @0 :UInt32;
  offset @1 :UInt64;
  length @2 :UInt64;
  checksum @3 :UInt64;      # XXH3 of the XXH3 of its blocks
  rows @4 :UInt64;          # of the shard
  file @5 :Text;            # restore only
  folder @6 :Text;          # restore only: beside the checkpoint's own; empty: in that
  base @7 :UInt64;          # the checkpoint that it goes on from; 0: it is whole
}

struct SnapshotReply {
  checkpoint @0 :UInt64;
  file @1 :Text;
  sections @2 :List(ShardSection);
  error @3 :Text;           # empty: durable
  tooLate @4 :Bool;         # sync: a shard is past the step
  noSpace @5 :Bool;
}

struct Restore {
  directory @0 :Text;
  sections @1 :List(ShardSection);
}

struct RestoreReply {
  rows @0 :UInt64;
  error @1 :Text;
  damaged @2 :Bool;         # the checkpoint itself cannot be used
  damagedFile @3 :Text;     # whose section at damagedOffset is not what was written
  damagedOffset @4 :UInt64;
}
