// The worker calls the interface of libsrtp 3; distributions have libsrtp 2. What differs is mapped here: opaque policies,
// separate output buffers, and two error names.
#pragma once

#define srtp_policy_t srtp2_policy_t
#include <srtp2/srtp.h>
#undef srtp_policy_t

#include <cstddef>
#include <cstdint>
#include <cstring>

// No error of libsrtp 2 has these numbers, so they are never seen; they lie within the range of its enumeration.
constexpr srtp_err_status_t srtp_err_status_buffer_small = static_cast<srtp_err_status_t>(30);
constexpr srtp_err_status_t srtp_err_status_cryptex_err  = static_cast<srtp_err_status_t>(31);

struct AnteroomSrtpPolicy
{
	srtp2_policy_t policy;
	unsigned char key[SRTP_MAX_KEY_LEN];
};

using srtp_policy_t = AnteroomSrtpPolicy*;

inline srtp_err_status_t srtp_policy_create(srtp_policy_t* policy)
{
	*policy = new AnteroomSrtpPolicy{};

	return srtp_err_status_ok;
}

inline void srtp_policy_destroy(srtp_policy_t policy)
{
	delete policy;
}

inline srtp_err_status_t srtp_policy_set_ssrc(srtp_policy_t policy, srtp_ssrc_t ssrc)
{
	policy->policy.ssrc = ssrc;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_profile(srtp_policy_t policy, srtp_profile_t profile)
{
	const srtp_err_status_t err =
	  srtp_crypto_policy_set_from_profile_for_rtp(&policy->policy.rtp, profile);

	if (err != srtp_err_status_ok)
	{
		return err;
	}

	return srtp_crypto_policy_set_from_profile_for_rtcp(&policy->policy.rtcp, profile);
}

inline srtp_err_status_t srtp_policy_add_key(
  srtp_policy_t policy,
  const uint8_t* key,
  size_t keyLen,
  const uint8_t* salt,
  size_t saltLen,
  const uint8_t* /*mki*/,
  size_t /*mkiLen*/)
{
	if (keyLen + saltLen > sizeof(policy->key))
	{
		return srtp_err_status_bad_param;
	}

	std::memcpy(policy->key, key, keyLen);
	std::memcpy(policy->key + keyLen, salt, saltLen);
	policy->policy.key = policy->key;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_allow_repeat_tx(srtp_policy_t policy, bool allow)
{
	policy->policy.allow_repeat_tx = allow ? 1 : 0;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_window_size(srtp_policy_t policy, size_t size)
{
	policy->policy.window_size = size;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_create(srtp_t* session, srtp_policy_t policy)
{
	return srtp_create(session, &policy->policy);
}

// libsrtp 2 works in place and trusts the caller for room, so the packet is moved first and the room checked here.
template<typename InPlace>
inline srtp_err_status_t anteroomSrtpApply(
  InPlace inPlace, size_t room, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen)
{
	if (inLen + room > *outLen)
	{
		return srtp_err_status_buffer_small;
	}

	if (out != in)
	{
		std::memcpy(out, in, inLen);
	}

	int len = static_cast<int>(inLen);
	const srtp_err_status_t err = inPlace(out, &len);

	*outLen = static_cast<size_t>(len);

	return err;
}

inline srtp_err_status_t srtp_protect(
  srtp_t session, const uint8_t* rtp, size_t rtpLen, uint8_t* srtp, size_t* srtpLen, size_t /*mkiIndex*/)
{
	return anteroomSrtpApply(
	  [session](uint8_t* data, int* len) { return srtp_protect(session, data, len); },
	  SRTP_MAX_TRAILER_LEN,
	  rtp,
	  rtpLen,
	  srtp,
	  srtpLen);
}

inline srtp_err_status_t srtp_unprotect(
  srtp_t session, const uint8_t* srtp, size_t srtpLen, uint8_t* rtp, size_t* rtpLen)
{
	return anteroomSrtpApply(
	  [session](uint8_t* data, int* len) { return srtp_unprotect(session, data, len); },
	  0,
	  srtp,
	  srtpLen,
	  rtp,
	  rtpLen);
}

inline srtp_err_status_t srtp_protect_rtcp(
  srtp_t session, const uint8_t* rtcp, size_t rtcpLen, uint8_t* srtcp, size_t* srtcpLen, size_t /*mkiIndex*/)
{
	return anteroomSrtpApply(
	  [session](uint8_t* data, int* len) { return srtp_protect_rtcp(session, data, len); },
	  SRTP_MAX_TRAILER_LEN + sizeof(uint32_t), // Of RTCP also the index is sent.
	  rtcp,
	  rtcpLen,
	  srtcp,
	  srtcpLen);
}

inline srtp_err_status_t srtp_unprotect_rtcp(
  srtp_t session, const uint8_t* srtcp, size_t srtcpLen, uint8_t* rtcp, size_t* rtcpLen)
{
	return anteroomSrtpApply(
	  [session](uint8_t* data, int* len) { return srtp_unprotect_rtcp(session, data, len); },
	  0,
	  srtcp,
	  srtcpLen,
	  rtcp,
	  rtcpLen);
}

inline srtp_err_status_t srtp_stream_remove(srtp_t session, uint32_t ssrc)
{
	return srtp_remove_stream(session, ssrc);
}
