#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What .gnu_debugaltlink has: the name of a file, and its build-id.
printf '%s\000netcapd\001' "$1"
