#include "common/wire/convert.h"

namespace capstan::wire {

void write(TraceRequest::Builder to, const capstan::TraceRequest& from) {
  to.setMilliseconds(from.milliseconds);
  to.setSpansMax(from.spans_max);
}
void read(TraceRequest::Reader from, capstan::TraceRequest& to) {
  to.milliseconds = from.getMilliseconds();
  to.spans_max = from.getSpansMax();
}

void write(TraceSpan::Builder to, const capstan::TraceSpan& from) {
  to.setKind(static_cast<std::uint8_t>(from.kind));
  to.setPass(from.step.pass);
  to.setStream(from.step.stream);
  to.setBatch(from.step.batch);
  to.setPeer(from.peer);
  to.setCount(from.count);
  to.setBegin(from.begin);
  to.setLength(from.length);
}
void read(TraceSpan::Reader from, capstan::TraceSpan& to) {
  to.kind = checked_enum(from.getKind(), SpanKind::kCommitPush);
  to.step = {from.getPass(), from.getStream(), from.getBatch()};
  to.peer = from.getPeer();
  to.count = from.getCount();
  to.begin = from.getBegin();
  to.length = from.getLength();
}

void write(NodeTrace::Builder to, const capstan::NodeTrace& from) {
  to.setNodeId(from.node_id);
  to.setName(from.name);
  to.setBegun(from.begun);
  to.setEnded(from.ended);
  to.setDropped(from.dropped);
  write_list(to.initSpans(size_of(from.spans.size())), from.spans);
}
void read(NodeTrace::Reader from, capstan::NodeTrace& to) {
  to.node_id = from.getNodeId();
  to.name = to_string(from.getName());
  to.begun = from.getBegun();
  to.ended = from.getEnded();
  to.dropped = from.getDropped();
  read_list(from.getSpans(), to.spans);
}

void write(TraceReply::Builder to, const capstan::TraceReply& from) {
  to.setError(from.error);
  write_list(to.initNodes(size_of(from.nodes.size())), from.nodes);
}
void read(TraceReply::Reader from, capstan::TraceReply& to) {
  to.error = to_string(from.getError());
  read_list(from.getNodes(), to.nodes);
}

}  // namespace capstan::wire
