@0xc1f37b0d52e94a68;
# What nodes do and when: a tool with the scheduler, the scheduler with nodes.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("capstan::wire");

struct TraceRequest {
  milliseconds @0 :UInt32;
  spansMax @1 :UInt32;      # of a node
}

struct TraceSpan {
  kind @0 :UInt8;
  pass @1 :UInt32;
  stream @2 :UInt32;
  batch @3 :UInt64;
  peer @4 :UInt32;          # whom a call went to; 0: it is none
  count @5 :UInt64;         # of keys; of a computation, of examples
  begin @6 :Int64;          # microseconds
  length @7 :Int64;
}

struct NodeTrace {
  nodeId @0 :UInt32;
  name @1 :Text;
  begun @2 :Int64;
  ended @3 :Int64;
  dropped @4 :UInt64;
  spans @5 :List(TraceSpan);
}

struct TraceReply {
  error @0 :Text;
  nodes @1 :List(NodeTrace);
}
