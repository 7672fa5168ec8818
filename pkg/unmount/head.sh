# shellcheck disable=SC2016,SC2317 # names may hold a dollar; some functions are called by name
set -uf
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
nl='
'
most=200 # mounts that are checked with one reading of the mount table
n=0 points='' table=$nl stale='' finished=' ' # ids that are unmounted since the last look
again='' parent='' line='' point='' type='' path=''
unmounted=0 gone=0 changed=0 failed=0 absent=0
stays=' ' # ids of mounts that could not leave their peer group

die() {
	printf '%s\n' "stopped: $1" >&2
	exit 1
}

# this_node BOOT-ID NODE MOUNT-NAMESPACE UPTIME WHERE-TO-RUN
this_node() {
	[ "$(id -u)" = 0 ] || die 'this must run as root'
	boot=
	read -r boot </proc/sys/kernel/random/boot_id
	[ "$boot" = "$1" ] || die "this is not node $2, or it has been started anew since: make a new script"
	namespace=$(readlink /proc/self/ns/mnt) || die 'failed to read /proc/self/ns/mnt'
	[ -z "$3" ] || [ "$namespace" = "mnt:[$3]" ] ||
		die "this is not $5"
	uptime=
	read -r uptime _ </proc/uptime
	[ "${uptime%%.*}" -le "$4" ] ||
		die 'this script is more than an hour old, and what was leaked then may be in use now: make a new script'
	for tool in grep mount umount; do
		command -v "$tool" >/dev/null || die "there is no $tool"
	done
	untouched=
	case $(umount --help 2>&1) in *--no-canonicalize*) untouched=-c ;; esac
	trap 'finish 130' INT TERM HUP
}

# m ID PARENT DEVICE ROOT POINT TYPE [PATH]: a mount to unmount, as the mount table
# has it; PATH where its bytes are not those of POINT.
m() {
	case $stays in *" $2 "*)
		say failed "${7-$5}" 'what it is mounted on stays in its peer group: an umount would reach what is in use'
		failed=$((failed + 1))
		return 0
		;;
	esac
	n=$((n + 1))
	eval "parent_$n=\$2 line_$n=\"\$1 \$2 \$3 \$4 \$5 \" point_$n=\$5 type_$n=\$6 path_$n=\${7-\$5}"
	points="$points $5 $nl"
	[ "$n" -lt "$most" ] || batch
}

batch() {
	[ "$n" -gt 0 ] || return 0
	look
	of=$n i=0
	while [ "$i" -lt "$of" ]; do
		i=$((i + 1))
		eval "parent=\$parent_$i line=\$line_$i point=\$point_$i type=\$type_$i path=\$path_$i"
		one
	done
	n=0 points=''
}

# apart, with the arguments of m, takes a mount out of its peer group: an umount on
# it reaches no other mount then.
apart() {
	batch
	parent=$2 line="$1 $2 $3 $4 $5 " point=$5 path=${7-$5} points=" $5 $nl"
	look
	if there; then
		covered || mount ${untouched:+"$untouched"} --make-private -- "$path"
		look
		shared=${table#*"$nl$line"}
		case " ${shared%%"$nl"*}" in *' shared:'*)
			stays="$stays$1 "
			;;
		esac
	fi
	points=''
}

# look reads the lines of all mounts at the batch's points: ours, and whatever else
# is mounted there.
look() {
	table=$(printf '%s' "$points" | grep -a -F -f - /proc/self/mountinfo)
	[ "$?" -le 1 ] || die 'failed to read /proc/self/mountinfo'
	table=$nl$table$nl
	finished=' ' stale=
}

one() {
	if ! there; then
		# Nothing there is what was to be: this runs again, or another umount took it along.
		case $table in
		*" $point "*)
			say changed "$path" 'it is no longer this mount'
			changed=$((changed + 1))
			;;
		*) absent=$((absent + 1)) ;;
		esac
	elif covered; then
		say changed "$path" 'another mount is at the same place'
		changed=$((changed + 1))
	elif why=$(unmount 2>&1); then
		unmounted=$((unmounted + 1))
		finished="$finished${line%% *} " stale=yes
	else
		# One umount takes others along by propagation: was this one of them?
		[ -z "$stale" ] || look
		if there; then
			say failed "$path" "${why##*: }"
			failed=$((failed + 1))
		else
			gone=$((gone + 1))
		fi
	fi
}

there() { case $table in *"$nl$line"*) ;; *) return 1 ;; esac; }

# covered says whether umount would hit another mount than ours: of those at our
# point, only what ours is mounted upon may be there. (Shells take long to edit a
# long string, so what is unmounted stays in the table.)
covered() {
	case $table in *" $point "*" $point "*) ;; *) return 1 ;; esac
	below=" $parent " before=
	while [ "$below" != "$before" ]; do
		before=$below
		each_other below_us
	done
	each_other not_below_us
}

# each_other calls $1 for each other mount at our point, and stops where it succeeds.
each_other() {
	IFS=$nl
	for other in $table; do
		IFS=' '
		# shellcheck disable=SC2086 # the fields of a line
		set -- "$1" $other
		[ "$#" -gt 5 ] || continue
		[ "$6" = "$point" ] || continue
		[ "$2 $3 $4 $5 $6 " != "$line" ] || continue
		case $finished in *" $2 "*) continue ;; esac
		if "$1" "$2" "$3"; then
			unset IFS
			return 0
		fi
	done
	unset IFS
	return 1
}

below_us() {
	case $below in *" $2 "*) ;; *" $1 "*) below="$below$2 " ;; esac
	return 1
}

not_below_us() { case $below in *" $1 "*) return 1 ;; esac; }

# unmount is an ordinary umount: never forced, never lazy. By -c nothing there is
# touched that might hang, but umount then reads the whole mount table each time,
# which slows the node's own mounts: it is for filesystems behind a network or a process.
unmount() {
	case $type in
	ext[234] | xfs | btrfs | f2fs | tmpfs | overlay | vfat | iso9660 | squashfs | erofs | zfs) umount -- "$path" ;;
	*) umount ${untouched:+"$untouched"} -- "$path" ;;
	esac
}

# say prints names without what a terminal could act upon.
say() {
	printf '%s: %s\n' "$1" "$(printf '%s: %s' "$2" "$3" | tr -c '\040-\176' '?')" >&2
}

# finish CODE
finish() {
	trap '' INT TERM HUP
	already=
	[ "$absent" = 0 ] || already=", $absent not there any more"
	printf '%s unmounted, %s went with them, %s skipped because changed, %s failed%s\n' "$unmounted" "$gone" "$changed" "$failed" "$already"
	[ "$failed" = 0 ] || printf 'of those that failed: see who holds them before anything else\n'
	printf 'what is left: %s\n' "$again"
	[ "$failed" = 0 ] || [ "$1" != 0 ] || exit 1
	exit "$1"
}
