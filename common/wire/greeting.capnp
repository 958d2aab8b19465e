@0xd3a1b7c09f5e4a11;
# How two nodes meet: the first message on every connection, and its answer.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("capstan::wire");

struct Hello {
  protocolVersion @0 :UInt32;
  jobId @1 :Text;
  role @2 :UInt8;
  name @3 :Text;
  incarnation @4 :UInt64;   # new for every start of the process
  endpoint @5 :Text;        # where a server listens
  host @6 :Text;
  memoryLimit @7 :UInt64;   # bytes of rows a server may hold
  zone @8 :Text;            # what fails together beyond a host: a rack, a hall
  generation @9 :UInt32;    # of the newest welcome; 0: none yet
  run @10 :UInt32;          # likewise
}

struct Welcome {
  generation @0 :UInt32;
  nodeId @1 :UInt32;
  leaseMs @2 :UInt32;
  graceMs @4 :UInt32;       # how long a shard without backups goes on while the scheduler is silent
  jobText @3 :Text;         # the effective job file; from the scheduler only
  run @5 :UInt32;           # the generation that the job began with
  catchUpRate @6 :UInt64;   # bytes a second to each server that learns a shard; 0: no limit
}

struct Refusal {
  reason @0 :UInt8;
  text @1 :Text;
}
