// A trace of the cluster as the JSON that Chrome's tracing page and Perfetto open, and as a table.
// The format: "Trace Event Format" by the Chromium project.
#pragma once

#include <string>

#include "common/trace_message.h"

namespace capstan {

// A process a node, a row or more a kind of span; every span has its step, "pass/stream/batch" with passes
// from 1, and an arrow leads from a worker's call to what a server did for it.
std::string chrome_trace(const TraceReply& trace);
// By kind of span: how many, median and 95th percentile of their time.
std::string trace_table(const TraceReply& trace);

}  // namespace capstan
