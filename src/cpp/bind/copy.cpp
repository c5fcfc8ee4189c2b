#include "core/copy.hpp"

#include "bind/arrays.hpp"

namespace trackcore::bind {
namespace {

/// Holds the interpreter: a capture thread that let go of it would wait to get it back.
void copy(Array<std::uint8_t>& to, const Array<std::uint8_t>& from) {
    if (to.size() != from.size()) throw std::invalid_argument("arrays of different size");
    copy_past_caches(to.mutable_data(), from.data(), static_cast<std::size_t>(from.size()));
}

}  // namespace

void register_copy(py::module_& m) {
    m.def("copy_past_caches", &copy, "to"_a.noconvert(), "source"_a.noconvert());
}

}  // namespace trackcore::bind
