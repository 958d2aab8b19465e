@0xf08b5a2c4e7719d4;
# Work: the scheduler with workers.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("capstan::wire");

struct WorkerReady {
  nodeId @0 :UInt32;
  dataFingerprint @1 :UInt64;
  tables @2 :List(import "membership.capnp".TableSpec);
  trainExamples @3 :UInt64;
  evaluateParts @4 :List(EvaluatePart);
  summary @5 :Text;
  error @6 :Text;           # preparing failed: the job fails with this text
  counts @7 :DataCounts;
}

struct DataCounts {         # users, items: 0 where the job has none
  valid @0 :UInt64;
  test @1 :UInt64;
  users @2 :UInt64;
  items @3 :UInt64;
}

struct EvaluatePart {
  name @0 :Text;
  partitions @1 :UInt32;
}

struct WorkId {
  kind @0 :UInt8;
  pass @1 :UInt32;
  partition @2 :UInt32;     # training: the stream that it begins with
  name @3 :Text;
}

struct WorkRequest {
  nodeId @0 :UInt32;
  incarnation @1 :UInt64;
  held @2 :UInt32;          # items the worker holds
  direct @3 :Bool;          # no item: a stream of its own
}

struct WorkGrant {          # frames: inputs of a merge
  work @0 :WorkId;
  numPartitions @1 :UInt32;
  term @2 :UInt64;
  firstBatch @3 :UInt64;
  steps @4 :UInt64;         # of the whole job so far
  endBatch @5 :UInt64;      # the first that is not the item's; 0: the partition's end
}

struct NoWork {
  waitMs @0 :UInt32;
  state @1 :Text;
}

struct WorkCursor {
  work @0 :WorkId;
  term @1 :UInt64;
  watermark @2 :UInt64;     # batches whose every slice is acknowledged, from the first on
  examples @3 :UInt64;      # since the grant
  lossSum @4 :Float64;      # since the grant
  batches @5 :UInt64;       # of the whole partition
  badBatches @6 :UInt64;    # since the grant
  slices @7 :UInt64;        # acknowledged slices of the batches below the watermark, since the grant
  end @8 :UInt64;           # the first batch that the holder leaves to others; 0: none
}

struct WorkProgress {
  nodeId @0 :UInt32;
  cursors @1 :List(WorkCursor);
}

struct EndWish {            # please leave the batches from end on
  cursor @0 :UInt32;
  end @1 :UInt64;
}

struct WorkProgressReply {
  revoked @0 :List(UInt32); # indices into cursors: held by someone else now
  steps @1 :UInt64;         # of the whole job so far
  wishes @2 :List(EndWish);
}

struct WorkDone {           # frames: result of an evaluation or merge
  nodeId @0 :UInt32;
  cursor @1 :WorkCursor;
  error @2 :Text;
}

struct WorkDoneReply {
  accepted @0 :Bool;
}
