@0xe7720c4b6d19f8a6;
# People and launchers with the scheduler, and the end of a job.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("capstan::wire");

struct StatusRequest {
  rows @0 :Bool;            # reserved for detail
}

struct StatusReply {
  json @0 :Text;
}

struct ChangeServers {
  drain @0 :Text;
  add @1 :UInt32;
  dryRun @2 :Bool;
}

struct ChangeServersReply {
  error @0 :Text;
  json @1 :Text;
}

struct TablesRequest {
  reserved @0 :Bool;
}

struct TablesReply {
  tables @0 :List(import "membership.capnp".TableSpec);
}

struct StopJob {
  reason @0 :Text;
  checkpoint @1 :Bool;
}

struct JobEnded {
  ok @0 :Bool;
  text @1 :Text;
}
