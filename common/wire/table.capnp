@0xb94d2b87c6aa31f3;
# Rows: workers and tools with servers. Keys and values are frames of their own, in the order of slices and
# sections.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("capstan::wire");

struct Section {
  table @0 :UInt32;
  count @1 :UInt32;
}

struct PullSlice {
  shard @0 :UInt32;
  sections @1 :List(Section);
}

struct Pull {               # frames: keys (u64)
  mapVersion @0 :UInt64;
  pass @1 :UInt32;
  needsClock @2 :UInt64;    # every slot's batches below this one are applied before rows are read; 0: at once
  slices @3 :List(PullSlice);
  term @4 :UInt64;          # under which the sender holds its work
  ofCopies @5 :Bool;        # a backup may answer, if its copy has what is needed
  stream @6 :UInt32;        # with `batch` only for traces
  batch @7 :UInt64;
}

struct SliceResult {
  shard @0 :UInt32;
  status @1 :UInt8;
  version @2 :UInt64;       # pushes this shard has applied
}

struct PullReply {          # frames: rows (f32) of the slices that are ok
  mapVersion @0 :UInt64;
  slices @1 :List(SliceResult);
}

struct PushSlice {
  shard @0 :UInt32;
  previous @1 :UInt64;      # sequence of the last batch of this term that touched this shard; 0: none
  pulledVersion @2 :UInt64;
  sections @3 :List(Section);
}

struct Push {               # frames: keys (u64), gradients (f32)
  mapVersion @0 :UInt64;
  pass @1 :UInt32;
  partition @2 :UInt32;
  term @3 :UInt64;
  sequence @4 :UInt64;      # batch number + 1
  slices @5 :List(PushSlice);
  step @6 :UInt64;          # of the job: rates and decay go by it
}

struct PushReply {
  mapVersion @0 :UInt64;
  slices @1 :List(SliceResult);
}

struct GetRows {            # frames: keys (u64)
  table @0 :Text;
}

struct GetRowsReply {       # frames: rows as stored, one after the other, of those found
  found @0 :List(Bool);
  rowBytes @1 :UInt32;
  owner @2 :Text;
  error @3 :Text;
}
