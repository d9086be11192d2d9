// SPDX-License-Identifier: BSD-2-Clause
// netcapctl mbuf -f vec_func@1@2 -e "tcp and port 80" --ext-action mbuf_action.c

struct  xcap_user_extend {
    uint64_t    mbuf; // format: 0x%x
    uint16_t    id;   //
    uint16_t    trace_index;
};

static inline int xcap_ext_action(void *ext, void *pkt, u32 pkt_len, struct xcap_user_extend *user, u16 trace_index)
{
    user->mbuf = (uint64_t)pkt;
    user->id = 7;
    user->trace_index = trace_index;
    return 1;
}
