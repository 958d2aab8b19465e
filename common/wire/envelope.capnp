@0x9fd3b6127e5c8807;
# Frame 0 of every message.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("capstan::wire");
using Greeting = import "greeting.capnp";
using Membership = import "membership.capnp";
using Table = import "table.capnp";
using Work = import "work.capnp";
using Checkpoint = import "checkpoint.capnp";
using Control = import "control.capnp";
using Replica = import "replica.capnp";
using Trace = import "trace.capnp";

struct Envelope {
  requestId @0 :UInt64;          # the answer carries its request's; 0: no answer expected
  frameSizes @1 :List(UInt64);   # of the frames that follow, in bytes
  union {
    hello @2 :Greeting.Hello;
    welcome @3 :Greeting.Welcome;
    refusal @4 :Greeting.Refusal;
    heartbeat @5 :Membership.Heartbeat;
    heartbeatReply @6 :Membership.HeartbeatReply;
    mapRequest @7 :Membership.MapRequest;
    mapUpdate @8 :Membership.MapUpdate;
    declareTables @9 :Membership.DeclareTables;
    tablesReady @10 :Membership.TablesReady;
    pull @11 :Table.Pull;
    pullReply @12 :Table.PullReply;
    push @13 :Table.Push;
    pushReply @14 :Table.PushReply;
    getRows @15 :Table.GetRows;
    getRowsReply @16 :Table.GetRowsReply;
    workerReady @17 :Work.WorkerReady;
    workRequest @18 :Work.WorkRequest;
    workGrant @19 :Work.WorkGrant;
    noWork @20 :Work.NoWork;
    workProgress @21 :Work.WorkProgress;
    workProgressReply @22 :Work.WorkProgressReply;
    workDone @23 :Work.WorkDone;
    workDoneReply @24 :Work.WorkDoneReply;
    snapshot @25 :Checkpoint.Snapshot;
    snapshotReply @26 :Checkpoint.SnapshotReply;
    restore @27 :Checkpoint.Restore;
    restoreReply @28 :Checkpoint.RestoreReply;
    statusRequest @29 :Control.StatusRequest;
    statusReply @30 :Control.StatusReply;
    stopJob @31 :Control.StopJob;
    jobEnded @32 :Control.JobEnded;
    tablesRequest @33 :Control.TablesRequest;
    tablesReply @34 :Control.TablesReply;
    replicate @35 :Replica.Replicate;
    replicateReply @36 :Replica.ReplicateReply;
    shardChunk @37 :Replica.ShardChunk;
    shardChunkReply @38 :Replica.ShardChunkReply;
    learnersReady @39 :Replica.LearnersReady;
    promiseRequest @40 :Replica.PromiseRequest;
    promise @41 :Replica.Promise;
    handOver @42 :Replica.HandOver;
    handedOver @43 :Replica.HandedOver;
    changeServers @44 :Control.ChangeServers;
    changeServersReply @45 :Control.ChangeServersReply;
    traceRequest @46 :Trace.TraceRequest;
    traceReply @47 :Trace.TraceReply;
  }
}
