// The extension module capstan._capstan: a client session for the package's own Python, which checks
// arguments.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <string>

#include "python/session.h"

namespace py = pybind11;

namespace capstan {
namespace {

// Becomes Python's CapstanError.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Signals are handled by Python's main thread alone; elsewhere this says no.
bool signal_came() {
  const py::gil_scoped_acquire acquired;
  return PyErr_CheckSignals() != 0;
}

// With the lock held.
void raise(const Error& error) {
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  throw Failure(error.message);
}

template <typename Call>
auto without_lock(const Call& call) {
  const py::gil_scoped_release released;
  return call();
}

void raise_unless_ok(const Status& status) {
  if (!status.ok()) raise(status.error());
}

using Keys = py::array_t<std::uint64_t, py::array::c_style>;
using Floats = py::array_t<float, py::array::c_style>;

std::span<const Key> span_of(const Keys& keys) {
  return {keys.data(), static_cast<std::size_t>(keys.size())};
}

std::shared_ptr<ClientSession> connect(const std::string& scheduler, const std::string& job,
                                       const std::string& keys, double timeout) {
  const SessionOptions options{scheduler, job, keys, Duration(static_cast<std::int64_t>(timeout * 1e6))};
  auto session = without_lock([&] { return ClientSession::connect(options, signal_came); });
  if (!session.ok()) raise(session.error());
  // The thread of a session that nobody holds any more may want the lock: it is let go while that one ends.
  return {std::move(session).value().release(), [](ClientSession* last) {
            const py::gil_scoped_release released;
            delete last;
          }};
}

py::list tables(const ClientSession& session) {
  py::list list;
  for (const TableSpec& spec : session.tables()) {
    list.append(py::make_tuple(spec.name, spec.dim));
  }
  return list;
}

void pull(ClientSession& session, std::uint32_t table, const Keys& keys, Floats rows, bool after_pushes) {
  float* out = rows.mutable_data();  // refuses arrays that are read-only
  const auto span = span_of(keys);
  raise_unless_ok(without_lock([&] { return session.pull(table, span, out, after_pushes, signal_came); }));
}

void push(ClientSession& session, std::uint32_t table, const Keys& keys, const Floats& gradients) {
  const float* from = gradients.data();
  const auto span = span_of(keys);
  raise_unless_ok(without_lock([&] { return session.push(table, span, from, signal_came); }));
}

void flush(ClientSession& session) {
  raise_unless_ok(without_lock([&] { return session.flush(signal_came); }));
}

void close(ClientSession& session) {
  raise_unless_ok(without_lock([&] { return session.close(signal_came); }));
}

py::tuple end_job(ClientSession& session, const std::string& reason) {
  const auto end = without_lock([&] { return session.end_job(reason, signal_came); });
  if (!end.ok()) raise(end.error());
  return py::make_tuple(end->ok, end->text);
}

std::string status(ClientSession& session) {
  const auto json = without_lock([&] { return session.status(signal_came); });
  if (!json.ok()) raise(json.error());
  return *json;
}

}  // namespace
}  // namespace capstan

PYBIND11_MODULE(_capstan, module) {
  using capstan::ClientSession;
  py::register_exception<capstan::Failure>(module, "CapstanError");
  module.def("connect", &capstan::connect);
  py::class_<ClientSession, std::shared_ptr<ClientSession>>(module, "Session")
      .def("tables", &capstan::tables)
      .def("pull", &capstan::pull, py::arg("table"), py::arg("keys").noconvert(), py::arg("rows").noconvert(),
           py::arg("after_pushes"))
      .def("push", &capstan::push, py::arg("table"), py::arg("keys").noconvert(),
           py::arg("gradients").noconvert())
      .def("flush", &capstan::flush)
      .def("close", &capstan::close)
      .def("end_job", &capstan::end_job)
      .def("status", &capstan::status);
}
