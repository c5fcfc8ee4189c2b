// A tracker as bytes and back: so that a run that was stopped goes on as if it had not been.
#include <cstring>
#include <type_traits>

#include "core/track.hpp"
#include "core/tracker.hpp"

namespace trackcore {
namespace {

constexpr std::uint32_t magic = 0x74724b33;  // changes whenever a field below does

/// Appends plain values in this machine's form.
class Writer {
  public:
    template <class T>
    void operator()(const T& value) {
        static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>);
        out_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    template <class T>
    void many(const std::vector<T>& values) {
        (*this)(std::uint64_t{values.size()});
        for (const T& value : values) (*this)(value);
    }
    bool good() const { return true; }
    std::string take() { return std::move(out_); }

  private:
    std::string out_;
};

/// Reads them again; not good any more where the bytes end too early.
class Reader {
  public:
    explicit Reader(std::string_view in) : in_(in) {}
    template <class T>
    void operator()(T& value) {
        static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>);
        good_ = good_ && in_.size() >= sizeof value;
        if (!good_) return;
        std::memcpy(&value, &in_.front(), sizeof value);
        in_.remove_prefix(sizeof value);
    }
    template <class T>
    void many(std::vector<T>& values) {
        std::uint64_t n = 0;
        (*this)(n);
        good_ = good_ && n <= in_.size();
        values.resize(good_ ? n : 0);
        for (T& value : values) (*this)(value);
    }
    bool good() const { return good_; }
    bool done() const { return good_ && in_.empty(); }

  private:
    std::string_view in_;
    bool good_ = true;
};

// One description of each type serves both directions.

template <class Archive, class V>
void vec(Archive& ar, V& v) {
    ar(v.x);
    ar(v.y);
}

template <class Archive, class M>
void mat(Archive& ar, M& m) {
    for (auto& value : m.m) ar(value);
}

template <class Archive, class T>
void region_template(Archive& ar, T& t) {
    ar(t.pattern);
    ar(t.model);
    ar(t.normalize);
    vec(ar, t.xy_px);
    vec(ar, t.centre_px);
    ar(t.map.offset);
    ar(t.map.scale);
    ar.many(t.samples);
    ar(t.base);
    ar(t.mean);
    ar(t.variation);
    for (auto& value : t.j_t) ar(value);
    for (auto& value : t.j_1) ar(value);
    for (auto& value : t.inverse) ar(value);
    for (auto& value : t.loc_inverse) ar(value);
    ar(t.unit_variance);
}

template <class Archive, class P>
void patch(Archive& ar, P& p) {
    vec(ar, p.xy_px);
    vec(ar, p.velocity_px);
    region_template(ar, p.key);
    ar(p.renewals);
    mat(ar, p.key_to_now);
    region_template(ar, p.home);
    mat(ar, p.home_to_key);
    ar(p.away);
}

template <class Archive, class S>
void track_sample(Archive& ar, S& s) {
    ar(s.track);
    vec(ar, s.xy_px);
    ar(s.ncc);
    ar(s.status);
}

}  // namespace

std::string Tracker::snapshot() const {
    Writer ar;
    ar(magic);
    ar(n_tracks_);
    ar(std::uint64_t{next_detection_});
    ar(dropping_);
    ar(std::uint64_t{history_.size()});
    for (const auto& frame : history_) {
        ar(std::uint64_t{frame.size()});
        for (const TrackSample& s : frame) track_sample(ar, s);
    }
    ar(std::uint64_t{alive_.size()});
    for (const auto& track : alive_) {
        ar(track->index);
        patch(ar, track->patch);
    }
    return ar.take();
}

bool Tracker::restore(std::string_view state, std::shared_ptr<const FramePyramid> frame) {
    Reader ar(state);
    std::uint32_t found = 0;
    std::uint64_t next_detection = 0, n = 0;
    std::int64_t n_tracks = 0;
    bool dropping = false;
    ar(found);
    if (!ar.good() || found != magic) return false;
    ar(n_tracks);
    ar(next_detection);
    ar(dropping);
    std::vector<std::vector<TrackSample>> history;
    ar(n);
    for (std::uint64_t i = 0; i < n && ar.good(); ++i) {
        std::uint64_t m = 0;
        ar(m);
        auto& samples = history.emplace_back();
        for (std::uint64_t k = 0; k < m && ar.good(); ++k) track_sample(ar, samples.emplace_back());
    }
    std::vector<std::shared_ptr<Track>> alive;
    ar(n);
    for (std::uint64_t i = 0; i < n && ar.good(); ++i) {
        alive.push_back(std::make_shared<Track>());
        ar(alive.back()->index);
        patch(ar, alive.back()->patch);
    }
    if (!ar.done()) return false;
    n_tracks_ = n_tracks;
    next_detection_ = next_detection;
    dropping_ = dropping;
    history_ = std::move(history);
    alive_ = std::move(alive);
    previous_ = std::move(frame);
    return true;
}

}  // namespace trackcore
