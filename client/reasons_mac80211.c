/* SPDX-License-Identifier: BSD-2-Clause */
/* Drop reasons of mac80211, as it receives frames. Sorted by name. */
#include "explain.h"

/* What is to be looked at next is the same for many of them. */
#define NEXT_AGGREGATE \
	"See sessions in /sys/kernel/debug/ieee80211/PHY/netdev:DEV/stations/MAC/agg_status; they " \
	"are often torn down at the moment. Many mean a driver's fault."
#define NEXT_CAPTURE \
	"Capture on a monitor interface ('iw phy PHY interface add mon0 type monitor', 'tcpdump " \
	"-i mon0 -e') to find the sender: a faulty peer, a damaged frame, or a forgery."
#define NEXT_CIPHER \
	"Look at the ciphers with 'iw dev DEV link' and 'wpa_cli status' (pairwise_cipher), and " \
	"move the network to WPA2 or WPA3 with CCMP or GCMP; else reassociate."
#define NEXT_DRIVER \
	"Look at dmesg for the driver's warnings, and at 'ethtool -i DEV' for its firmware: " \
	"driver or firmware hand over frames that they must not."
#define NEXT_DUPLICATE \
	"Normal on radio. If there are many, see 'iw dev DEV station dump' (rx duplicate, signal, " \
	"tx retries) for a weak or busy channel."
#define NEXT_FRAGMENT \
	"Look at 'iw phy PHY info' (fragmentation threshold) and set it off at the peer; lost " \
	"fragments mean a weak signal, mixed ones may be an attack."
#define NEXT_KEYS \
	"See 'iw dev DEV station dump' and the log of wpa_supplicant or hostapd for the last key " \
	"exchange; reassociate ('wpa_cli reassociate') for new keys."
#define NEXT_LOGIN \
	"See authorized and associated in 'iw dev DEV station dump', and the log of hostapd or " \
	"wpa_supplicant: a few come during login and change of keys."
#define NEXT_MESH \
	"See 'iw dev DEV station dump' (mesh plink), 'iw dev DEV mpath dump' and 'iw dev DEV get " \
	"mesh_param mesh_ttl' for missing links and loops."
#define NEXT_MFP \
	"See MFP in 'iw dev DEV station dump' and ieee80211w in the configuration of hostapd and " \
	"wpa_supplicant; many may be an attack by forged frames."
#define NEXT_NORMAL \
	"Normal in small numbers. If there are many, capture on a monitor interface ('iw phy PHY " \
	"interface add mon0 type monitor') to see who sends them."
#define NEXT_PEER \
	"Look at 'iw dev DEV station dump' and the log of hostapd: the station thinks that it is " \
	"still associated, or just roamed. Many mean missed deauthentications."
#define NEXT_REPLAY \
	"See replays in /sys/kernel/debug/ieee80211/PHY/keys, and dmesg. If all of a peer's " \
	"frames are dropped, reassociate: its counter was reset."
#define NEXT_STA \
	"Look at 'iw dev DEV station dump' (rx drop misc), and where it was dropped: 'netcapctl " \
	"skb -f tracepoint:skb:kfree_skb -S'."
#define NEXT_WDS \
	"See 4addr in 'iw dev DEV info', and wds_sta=1 in hostapd's configuration: both sides " \
	"must agree ('iw dev DEV set 4addr on')."

static const struct explain_entry unusable[] = {
	{"RX_DROP",
	 "mac80211 dropped a received frame in a place that gives no closer reason.",
	 NEXT_STA},
	{"RX_DROP_UNUSABLE",
	 "mac80211 dropped a received frame that is of no use to anybody, in a place that gives no "
	 "closer reason.",
	 NEXT_STA},
	{"RX_DROP_U_ACTION_UNKNOWN_SRC",
	 "An action frame came from a station that is not known, and its category is not one that "
	 "strangers may send.",
	 NEXT_PEER},
	{"RX_DROP_U_AMSDU_WITHOUT_DATA",
	 "A frame claims to be an aggregate (A-MSDU) but carries no data.",
	 NEXT_CAPTURE},
	{"RX_DROP_U_AP_RX_GROUPCAST",
	 "An access point got a frame encrypted by TKIP with a group key, with which only the "
	 "access point itself may send.",
	 NEXT_CIPHER},
	{"RX_DROP_U_BAD_4ADDR",
	 "An aggregate (A-MSDU) with four addresses came at an interface that does not use them.",
	 NEXT_WDS},
	{"RX_DROP_U_BAD_AMSDU",
	 "An aggregate (A-MSDU) came to a group address, where none is allowed, or is malformed.",
	 NEXT_CAPTURE},
	{"RX_DROP_U_BAD_AMSDU_CIPHER",
	 "An aggregate (A-MSDU) came encrypted by a cipher that does not allow them (WEP, TKIP).",
	 NEXT_CIPHER},
	{"RX_DROP_U_BAD_BCN_KEYIDX",
	 "The beacon was protected with a key number that is not one for beacons.",
	 NEXT_MFP},
	{"RX_DROP_U_BAD_CIPHER",
	 "The frame was encrypted by a cipher that mac80211 does not know for its key.",
	 NEXT_CIPHER},
	{"RX_DROP_U_BAD_KEY_COLOR",
	 "A fragment was encrypted with another key than the fragments before it.",
	 NEXT_FRAGMENT},
	{"RX_DROP_U_BAD_MGMT_KEYIDX",
	 "A protected management frame to a group had a key number that is not one for such "
	 "frames.",
	 NEXT_MFP},
	{"RX_DROP_U_BAD_MMIE",
	 "A management frame to a group lacks its protection element (MMIE), or that is malformed.",
	 NEXT_MFP},
	{"RX_DROP_U_BAR_OUTSIDE_SESSION",
	 "A request for a block acknowledgement came for a traffic class that has no aggregation "
	 "session.",
	 NEXT_AGGREGATE},
	{"RX_DROP_U_CTRL_FRAME",
	 "A control frame came that mac80211 has no use for.",
	 NEXT_NORMAL},
	{"RX_DROP_U_DECRYPT_FAIL",
	 "The frame could not be decrypted.",
	 NEXT_KEYS},
	{"RX_DROP_U_DEFRAG_MISMATCH",
	 "A fragment belongs to no frame that is being put together: an earlier fragment is "
	 "missing, or it does not fit.",
	 NEXT_FRAGMENT},
	{"RX_DROP_U_DUP",
	 "The frame had been received before: the sender missed the acknowledgement and sent it "
	 "again.",
	 NEXT_DUPLICATE},
	{"RX_DROP_U_EXPECTED_MGMT",
	 "A frame that is no management frame came to where only those are left to handle.",
	 NEXT_CAPTURE},
	{"RX_DROP_U_EXPECT_DEFRAG_PROT",
	 "Of a fragmented frame, one fragment was protected and another was not.",
	 NEXT_FRAGMENT},
	{"RX_DROP_U_INVALID_8023",
	 "The frame could not be turned into an Ethernet frame: it is too short, or its addresses "
	 "do not fit the interface.",
	 NEXT_CAPTURE},
	{"RX_DROP_U_KEY_TAINTED",
	 "The frame's key is marked as one that must not be used any more.",
	 NEXT_KEYS},
	{"RX_DROP_U_MALFORMED_ACTION",
	 "An access point got an action frame that it does not know or cannot handle.",
	 NEXT_CAPTURE},
	{"RX_DROP_U_MCAST_DEAUTH",
	 "A deauthentication came to a group address other than broadcast.",
	 NEXT_CAPTURE},
	{"RX_DROP_U_MCAST_DISASSOC",
	 "A disassociation or an answer to an association came to a group address other than "
	 "broadcast.",
	 NEXT_CAPTURE},
	{"RX_DROP_U_MCAST_FRAGMENT",
	 "A fragment came to a group address, where fragments are not allowed.",
	 NEXT_CAPTURE},
	{"RX_DROP_U_MESH_A3_MISMATCH",
	 "A mesh frame to a group names this host itself as its source: it came back.",
	 NEXT_MESH},
	{"RX_DROP_U_MESH_A4_MISMATCH",
	 "A mesh frame to one station names this host itself as its source: it came back.",
	 NEXT_MESH},
	{"RX_DROP_U_MESH_BAD_AE",
	 "A mesh frame's extension says a form of addresses that does not fit the frame.",
	 NEXT_CAPTURE},
	{"RX_DROP_U_MESH_DS_BITS",
	 "A mesh frame to a group has direction bits (To DS, From DS) that it must not have.",
	 NEXT_CAPTURE},
	{"RX_DROP_U_MESH_NOT_FORWARDING",
	 "The mesh frame is for another station, and this one is set not to forward.",
	 "Look at 'iw dev DEV get mesh_param mesh_fwding', and turn it on if this host is to "
	 "forward."},
	{"RX_DROP_U_MESH_NO_A4",
	 "A mesh frame to one station lacks the fourth address.",
	 NEXT_CAPTURE},
	{"RX_DROP_U_MESH_NO_TTL",
	 "A mesh frame came with a TTL of 0.",
	 NEXT_MESH},
	{"RX_DROP_U_MESH_RMC",
	 "A mesh frame to a group had been received before, by another path.",
	 NEXT_NORMAL},
	{"RX_DROP_U_MESH_TTL_EXPIRED",
	 "The TTL of a mesh frame that was to be forwarded ran out.",
	 NEXT_MESH},
	{"RX_DROP_U_MESH_UNEXP_DATA",
	 "A data frame came from a mesh station with which there is no established link.",
	 NEXT_MESH},
	{"RX_DROP_U_MESH_UNEXP_MGMT",
	 "A management frame came from a mesh station with which there is no established link, and "
	 "is not one that may come then.",
	 NEXT_MESH},
	{"RX_DROP_U_MESH_WRONG_ACTION",
	 "An action frame came from a mesh station with which there is no established link, and "
	 "does not serve to establish one.",
	 NEXT_MESH},
	{"RX_DROP_U_MIC_FAIL",
	 "The integrity code (MIC) of the frame was wrong: another key, a damaged frame, or a "
	 "forgery.",
	 NEXT_KEYS},
	{"RX_DROP_U_MMIC_FAIL",
	 "The TKIP integrity code (Michael MIC) was wrong; a second one within 60 s makes an "
	 "access point cut everybody off.",
	 NEXT_CIPHER},
	{"RX_DROP_U_NONBCAST_BEACON",
	 "A beacon came to another address than broadcast.",
	 NEXT_CAPTURE},
	{"RX_DROP_U_NONSEQ_PN",
	 "The packet numbers of the fragments of an encrypted frame do not follow each other.",
	 NEXT_FRAGMENT},
	{"RX_DROP_U_NOT_PORT_CONTROL",
	 "The frame is not one of the login (EAPOL), and the connection takes nothing else in this "
	 "form.",
	 NEXT_WDS},
	{"RX_DROP_U_NO_ICV",
	 "A frame that the hardware decrypted (WEP) is too short for its check value (ICV).",
	 NEXT_DRIVER},
	{"RX_DROP_U_NO_IV",
	 "A frame that the hardware decrypted (WEP) is too short for its initialisation vector.",
	 NEXT_DRIVER},
	{"RX_DROP_U_NO_KEY_ID",
	 "The number of the key could not be read from the encrypted frame.",
	 NEXT_KEYS},
	{"RX_DROP_U_NO_LINK",
	 "mac80211 found no link of the interface that the frame belongs to, which should not "
	 "happen.",
	 NEXT_DRIVER},
	{"RX_DROP_U_NULL_DATA",
	 "A data frame without data came, as stations send to tell that they sleep or wake.",
	 NEXT_NORMAL},
	{"RX_DROP_U_OOM",
	 "Memory for handling the frame could not be had.",
	 "Look at dmesg for 'page allocation failure', and at 'free -m' and 'cat "
	 "/proc/buddyinfo'."},
	{"RX_DROP_U_PORT_CONTROL",
	 "A data frame came before the station was logged in (EAPOL), or unencrypted where "
	 "encryption is due.",
	 NEXT_LOGIN},
	{"RX_DROP_U_REJECTED_ACTION_RESPONSE",
	 "A peer sent back an action frame of this host's as one that it does not know.",
	 NEXT_NORMAL},
	{"RX_DROP_U_REPLAY",
	 "The packet number of the frame is not above the last one: a replay, or reordering in "
	 "driver or hardware.",
	 NEXT_REPLAY},
	{"RX_DROP_U_RUNT_ACTION",
	 "An action frame is too short for what it says it is.",
	 NEXT_CAPTURE},
	{"RX_DROP_U_RUNT_BAR",
	 "A request for a block acknowledgement is too short.",
	 NEXT_CAPTURE},
	{"RX_DROP_U_RUNT_DATA",
	 "A data frame from a station that is not associated is too short to tell whether it "
	 "belongs to the login.",
	 NEXT_CAPTURE},
	{"RX_DROP_U_RUNT_MESH_DATA",
	 "A mesh data frame is too short for its mesh header.",
	 NEXT_CAPTURE},
	{"RX_DROP_U_RUNT_MGMT",
	 "A management frame is too short.",
	 NEXT_CAPTURE},
	{"RX_DROP_U_SHORT_CCMP",
	 "A frame encrypted by CCMP is too short for its header and integrity code, or its station "
	 "is not known.",
	 NEXT_CAPTURE},
	{"RX_DROP_U_SHORT_CCMP_MIC",
	 "The integrity code could not be cut off a frame encrypted by CCMP: the frame is too "
	 "short.",
	 NEXT_CAPTURE},
	{"RX_DROP_U_SHORT_CMAC",
	 "A management frame protected by CMAC is too short for its protection element.",
	 NEXT_MFP},
	{"RX_DROP_U_SHORT_CMAC256",
	 "A management frame protected by CMAC-256 is too short for its protection element.",
	 NEXT_MFP},
	{"RX_DROP_U_SHORT_GCMP",
	 "A frame encrypted by GCMP is too short for its header and integrity code, or its station "
	 "is not known.",
	 NEXT_CAPTURE},
	{"RX_DROP_U_SHORT_GCMP_MIC",
	 "The integrity code could not be cut off a frame encrypted by GCMP: the frame is too "
	 "short.",
	 NEXT_CAPTURE},
	{"RX_DROP_U_SHORT_GMAC",
	 "A management frame protected by GMAC is too short for its protection element.",
	 NEXT_MFP},
	{"RX_DROP_U_SHORT_MMIC",
	 "A frame encrypted by TKIP is too short for its integrity code (Michael MIC).",
	 NEXT_CIPHER},
	{"RX_DROP_U_SHORT_TKIP",
	 "A frame encrypted by TKIP is too short for its headers.",
	 NEXT_CIPHER},
	{"RX_DROP_U_SPURIOUS",
	 "A data frame came from a station that is not associated.",
	 NEXT_PEER},
	{"RX_DROP_U_SPURIOUS_NOTIF",
	 "A data frame came from a station that is not associated, and hostapd was told, so that "
	 "it can send the station away.",
	 NEXT_PEER},
	{"RX_DROP_U_TKIP_FAIL",
	 "The frame could not be decrypted by TKIP: another key, a wrong check value, or a replay.",
	 NEXT_CIPHER},
	{"RX_DROP_U_UNEXPECTED_4ADDR",
	 "A frame with four addresses came from a station that does not use them; hostapd was "
	 "told.",
	 NEXT_WDS},
	{"RX_DROP_U_UNEXPECTED_4ADDR_FRAME",
	 "A frame with four addresses came at an access point whose station is not set up for "
	 "them.",
	 NEXT_WDS},
	{"RX_DROP_U_UNEXPECTED_EXT_FRAME",
	 "A frame of the extension type (S1G beacons) came at an interface that is no station.",
	 NEXT_NORMAL},
	{"RX_DROP_U_UNEXPECTED_STA_4ADDR",
	 "A frame with four addresses came at a station that is not set up for them.",
	 NEXT_WDS},
	{"RX_DROP_U_UNEXPECTED_VLAN_4ADDR",
	 "A frame with four addresses came at an AP VLAN interface that belongs to no single "
	 "station.",
	 NEXT_WDS},
	{"RX_DROP_U_UNEXPECTED_VLAN_MCAST",
	 "A frame whose receiver is a group came at an AP VLAN interface that belongs to one "
	 "station with four addresses.",
	 NEXT_WDS},
	{"RX_DROP_U_UNHANDLED_DEAUTH",
	 "A deauthentication came at an interface that is neither a station nor IBSS; hostapd has "
	 "seen it if it wants it.",
	 NEXT_NORMAL},
	{"RX_DROP_U_UNHANDLED_DISASSOC",
	 "A disassociation or an answer to an association came at an interface that is no station.",
	 NEXT_NORMAL},
	{"RX_DROP_U_UNHANDLED_MGMT",
	 "A management frame came at an interface of a kind that leaves those to user space, which "
	 "did not ask for it.",
	 NEXT_NORMAL},
	{"RX_DROP_U_UNHANDLED_MGMT_STYPE",
	 "A management frame came of a kind that the kernel does not handle, and user space did "
	 "not ask for it.",
	 NEXT_NORMAL},
	{"RX_DROP_U_UNHANDLED_PREQ",
	 "A probe request came at an interface that is neither IBSS nor mesh; access points answer "
	 "them in user space.",
	 NEXT_NORMAL},
	{"RX_DROP_U_UNKNOWN_ACTION_REJECTED",
	 "An action frame of unknown kind came; it was sent back to its sender as rejected.",
	 NEXT_NORMAL},
	{"RX_DROP_U_UNKNOWN_MCAST_ACTION",
	 "An action frame of unknown kind came to a group address, where it is not answered.",
	 NEXT_NORMAL},
	{"RX_DROP_U_UNKNOWN_STA",
	 "A request for a block acknowledgement came from a station that is not known.",
	 NEXT_PEER},
	{"RX_DROP_U_UNPROTECTED",
	 "The frame was to be encrypted, and there is no key for it or it came in clear text.",
	 NEXT_LOGIN},
	{"RX_DROP_U_UNPROT_ACTION",
	 "An action frame came unprotected from a peer with which management frames are protected "
	 "(802.11w).",
	 NEXT_MFP},
	{"RX_DROP_U_UNPROT_BEACON",
	 "A beacon came unprotected, or wrongly protected, from an access point that protects its "
	 "beacons.",
	 NEXT_MFP},
	{"RX_DROP_U_UNPROT_DUAL",
	 "An action frame of the protected kind (protected dual of public action) came without "
	 "protection.",
	 NEXT_MFP},
	{"RX_DROP_U_UNPROT_MCAST_MGMT",
	 "A management frame to a group came unprotected though 802.11w is in use.",
	 NEXT_MFP},
	{"RX_DROP_U_UNPROT_ROBUST_ACTION",
	 "An action frame that needs protection came before there is a key for it.",
	 NEXT_MFP},
	{"RX_DROP_U_UNPROT_UCAST_MGMT",
	 "A management frame to this station came unprotected though 802.11w is in use, for "
	 "example a forged deauthentication.",
	 NEXT_MFP},
	{"RX_DROP_U_UNPROT_UNICAST_PUB_ACTION",
	 "A public action frame to this station alone came unprotected though 802.11w is in use.",
	 NEXT_MFP},
	{"RX_DROP_U_WEP_DEC_FAIL",
	 "The frame could not be decrypted by WEP: another key, or a damaged frame.",
	 NEXT_CIPHER},
};

static const struct explain_entry monitor[] = {
	{"RX_DROP_MONITOR",
	 "mac80211 did not use a received frame, in a place that gives no closer reason; monitor "
	 "interfaces still got it.",
	 NEXT_STA},
	{"RX_DROP_M_BAD_BCN_KEYIDX",
	 "The beacon was protected with a key number that is not one for beacons; monitor "
	 "interfaces still got it.",
	 NEXT_MFP},
	{"RX_DROP_M_BAD_MGMT_KEYIDX",
	 "A protected management frame to a group had a key number that is not one for such "
	 "frames; monitor interfaces still got it.",
	 NEXT_MFP},
	{"RX_DROP_M_UNEXPECTED_4ADDR_FRAME",
	 "A frame with four addresses came from a station that is not set up for them; monitor "
	 "interfaces still got it.",
	 NEXT_WDS},
};

const struct explain_table reasons_mac80211_unusable = {
	"mac80211_unusable", unusable, sizeof(unusable) / sizeof(*unusable)
};

const struct explain_table reasons_mac80211_monitor = {
	"mac80211_monitor", monitor, sizeof(monitor) / sizeof(*monitor)
};
